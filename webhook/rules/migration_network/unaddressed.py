"""virt-handler needs an address on the migration network."""

from collections.abc import Iterator

from webhook.cni.migration_network import unaddressed
from webhook.facts.network import NetworkFacts
from webhook.rules.migration_network._network import (
    LOCALNET,
    MACVLAN,
    NAMED,
    NETWORK_GUIDE,
    addressed,
    config,
    outcomes,
)
from webhook.rules.rule import About, Example, Outcome, Rule


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    return outcomes(facts, unaddressed(facts), "addresses")


RULE = Rule(
    id="LM711",
    name="migration-network-without-addresses",
    about=About.NETWORK,
    summary="The migration network gives virt-handler no address.",
    rationale=(
        "From 1.2 on, virt-handler exits and restarts repeatedly if its interface migration0 has no global unicast "
        "address. virt-handler then does not manage the VMs of the node. In 1.1 and earlier, migrations silently use "
        "the pod network."
    ),
    remediation='Add `ipam`, for example {"type": "whereabouts", "range": "10.1.1.0/24"}, or `subnets` for OVN-Kubernetes.',
    source="pkg/virt-handler/migration.go FindMigrationIP, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("whereabouts", addressed('"type": "whereabouts", "range": "10.1.1.0/24"'), world=(NAMED,)),
        Example("dhcp", addressed('"type": "dhcp"'), world=(NAMED,)),
        Example("no ipam", config(MACVLAN), world=(NAMED,), violates=("config",)),
        Example("no ipam in another network", config(MACVLAN)),
        Example("an OVN localnet with subnets", config(f'{LOCALNET}, "subnets": "10.1.1.0/24"'), world=(NAMED,)),
        Example("an OVN localnet without subnets", config(LOCALNET), world=(NAMED,), violates=("config",)),
        Example(
            "link-local addresses, which virt-handler ignores",
            addressed('"type": "whereabouts", "range": "169.254.7.0/24"'),
            world=(NAMED,),
            violates=("config",),
        ),
        Example("static without addresses", addressed('"type": "static"'), world=(NAMED,), violates=("config",)),
        Example(
            "a range in whereabouts' own file",
            addressed('"type": "whereabouts"'),
            world=(NAMED,),
            undetermined=("config",),
        ),
    ),
)
