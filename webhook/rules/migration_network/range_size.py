"""Every node that runs VMs needs an address in the migration network."""

from collections.abc import Iterator

from webhook.cni.migration_network import too_small
from webhook.facts.network import NetworkFacts
from webhook.rules.example import node
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, THREE_NODES, addressed, outcomes
from webhook.rules.rule import About, Example, Outcome, Rule

_FOUR = '"type": "whereabouts", "range": "10.1.1.0/29", "exclude": ["10.1.1.0/31", "10.1.1.6"]'
_TWO = '"type": "whereabouts", "range": "10.1.1.0/30"'
_ONE = '"type": "whereabouts", "range": "10.1.1.0/30", "exclude": ["10.1.1.1"]'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    return outcomes(facts, too_small(facts), "size")


RULE = Rule(
    id="LM713",
    name="migration-range-too-small",
    about=About.NETWORK,
    summary="The migration network has fewer addresses than the cluster has nodes.",
    rationale=(
        "virt-handler runs once on each node. Without a free address, virt-handler's pod does not start, and KubeVirt "
        "no longer manages the VMs of the node."
    ),
    remediation=(
        "Use a larger range or fewer exclusions. Leave some addresses free, because from KubeVirt 1.6 on other pods "
        "can need them."
    ),
    source="whereabouts v0.9.4 pkg/allocate; pkg/virt-operator/resource/generate/components/daemonsets.go, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("four addresses for three nodes", addressed(_FOUR), world=(NAMED, *THREE_NODES)),
        Example("two addresses for three nodes", addressed(_TWO), world=(NAMED, *THREE_NODES), violates=("config",)),
        Example("two addresses, and no nodes provided", addressed(_TWO), world=(NAMED,)),
        Example("one address", addressed(_ONE), world=(NAMED,), violates=("config",)),
        Example("one address for three nodes", addressed(_ONE), world=(NAMED, *THREE_NODES), violates=("config",)),
        Example("one address in another network", addressed(_ONE)),
        Example(
            "two addresses, and three nodes without a label that shows whether they run VMs",
            addressed(_TWO),
            world=(NAMED, node("a"), node("b"), node("c")),
            undetermined=("config",),
        ),
    ),
)
