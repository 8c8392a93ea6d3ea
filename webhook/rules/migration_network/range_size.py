"""Every node that runs virtual machines takes an address of the migration network."""

from collections.abc import Iterator

from webhook.cni.migration_network import too_small
from webhook.facts.network import NetworkFacts
from webhook.facts.unknown import Unknown
from webhook.rules.example import node
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, THREE_NODES, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

_FOUR = '"type": "whereabouts", "range": "10.1.1.0/29", "exclude": ["10.1.1.0/31", "10.1.1.6"]'
_TWO = '"type": "whereabouts", "range": "10.1.1.0/30"'
_ONE = '"type": "whereabouts", "range": "10.1.1.0/30", "exclude": ["10.1.1.1"]'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    for found in too_small(facts):
        if isinstance(found, Unknown):
            yield Undetermined(facts.path, found.why, found.settle, "size")
        else:
            yield Violation(facts.path, found.message, "size")


RULE = Rule(
    id="LM713",
    name="migration-range-too-small",
    about=About.NETWORK,
    summary="The migration network has fewer addresses than there are nodes.",
    rationale=(
        "virt-handler runs once on each node. Where no address is left its pod does not start, and nobody looks after the VMs of "
        "that node."
    ),
    remediation="Write a larger range or fewer exclusions; leave some room, because other pods of KubeVirt may join from 1.6 on.",
    source="whereabouts v0.9.4 pkg/allocate; pkg/virt-operator/resource/generate/components/daemonsets.go, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("four addresses for three nodes", addressed(_FOUR), world=(NAMED, *THREE_NODES)),
        Example("two addresses for three nodes", addressed(_TWO), world=(NAMED, *THREE_NODES), violates=("config",)),
        Example("two addresses for nobody knows how many", addressed(_TWO), world=(NAMED,)),
        Example("one address", addressed(_ONE), world=(NAMED,), violates=("config",)),
        Example("one address in another network", addressed(_ONE)),
        Example(
            "two addresses, and nobody knows which of three nodes run VMs",
            addressed(_TWO),
            world=(NAMED, node("a"), node("b"), node("c")),
            undetermined=("config",),
        ),
    ),
)
