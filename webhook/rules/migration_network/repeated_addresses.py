"""Nodes with the same address on the migration network cannot reach each other."""

from collections.abc import Iterator

from webhook.cni.attachments import ipams_of
from webhook.cni.migration_network import repeats
from webhook.facts.network import CniConfig, NetworkFacts
from webhook.objects.shown import shown
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation

_HOST_LOCAL = '"type": "host-local", "subnet": "10.1.1.0/24"'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if not facts.is_migration_network or not isinstance(facts.config, CniConfig):
        return
    for ipam in ipams_of(facts.config):
        if repeats(ipam):
            why = (
                f"{ipam.place}.type {ipam.type} assigns addresses on each node separately, so two nodes get the same "
                "address"
            )
            yield Violation(facts.path, why, "addresses")
        elif repeats(ipam) is None:
            why = f"Migratable does not know whether {shown(ipam.type)} assigns each address only once in the cluster"
            yield Undetermined(facts.path, why, "check the IPAM plugin's documentation", "addresses")


RULE = Rule(
    id="LM712",
    name="addresses-repeat-on-nodes",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="Several nodes get the same address on the migration network.",
    rationale=(
        "host-local keeps its list of used addresses in a file on the node, and static has no list. Every node starts "
        "with the same address, so a migration reaches the wrong node or no node."
    ),
    remediation="Use whereabouts, which assigns addresses for the whole cluster, or dhcp.",
    source="plugins v1.9.1 plugins/ipam/host-local/backend/disk, plugins/ipam/static",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("whereabouts", addressed('"type": "whereabouts", "range": "10.1.1.0/24"'), world=(NAMED,)),
        Example("dhcp", addressed('"type": "dhcp"'), world=(NAMED,)),
        Example(
            "host-local with a list of ranges",
            addressed('"type": "host-local", "ranges": [[{"subnet": "10.1.1.0/24"}]]'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("host-local", addressed(_HOST_LOCAL), world=(NAMED,), violates=("config",)),
        Example("host-local in another network", addressed(_HOST_LOCAL)),
        Example(
            "static",
            addressed('"type": "static", "addresses": [{"address": "10.1.1.5/24"}]'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("an unknown plugin", addressed('"type": "vendor"'), world=(NAMED,), undetermined=("config",)),
    ),
)
