"""Some interfaces connect only the pods of one node. A connection to other nodes needs further settings."""

from collections.abc import Iterator

from webhook.cni.migration_network import BRIDGES, ON_ONE_NODE, first_plugin
from webhook.facts.network import NetworkFacts
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, config
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_IPAM = '"ipam": {"type": "whereabouts", "range": "10.1.1.0/24"}'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    plugin = first_plugin(facts)
    if plugin is None:
        return
    if plugin.type in ON_ONE_NODE:
        message = (
            f"a {plugin.type} interface connects pods only to their own node, because the plugin sets no routes to "
            "other nodes"
        )
        yield Violation(facts.path, message, "type")
    elif plugin.type in BRIDGES and not plugin.bridge:
        message = (
            f"{plugin.at('bridge')} is missing, so the plugin uses bridge cni0, which often has no connection to other "
            "nodes"
        )
        yield Violation(facts.path, message, "bridge")


RULE = Rule(
    id="LM709",
    name="migration-network-on-one-node",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="The migration network might not reach other nodes.",
    rationale=(
        "A ptp interface, or a bridge without an interface of the node as a port, connects only the pods of one node. Migrations "
        "then fail because they cannot reach the target node."
    ),
    remediation="Use macvlan on an interface of the node, or a bridge that has this interface as a port on every node.",
    source="plugins v1.9.1 plugins/main/ptp, plugins/main/bridge (defaultBrName)",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a bridge by name", config(f'"type": "bridge", "bridge": "br-migration", {_IPAM}'), world=(NAMED,)),
        Example("a bridge without name", config(f'"type": "bridge", {_IPAM}'), world=(NAMED,), violates=("config",)),
        Example("a macvlan", config(f'"type": "macvlan", "master": "eth1", {_IPAM}'), world=(NAMED,)),
        Example(
            "a bridge without name as the first of two plugins",
            config(f'"plugins": [{{"type": "bridge", {_IPAM}}}, {{"type": "tuning"}}]'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("ptp", config(f'"type": "ptp", {_IPAM}'), world=(NAMED,), violates=("config",)),
        Example("ptp for another network", config(f'"type": "ptp", {_IPAM}')),
    ),
)
