"""A live migration needs a second node that is large enough for the target pod."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.objects.meta import Json
from webhook.rules.example import node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_MIB = 2**20
_MOST = 3


def check(facts: TargetFacts) -> Iterator[Outcome]:
    sizes = facts.room.sizes if facts.room is not None else None
    if sizes is None or len(sizes.nodes) < 2 or len(sizes.nodes) - len(sizes.small) > 1:
        return
    large = [name for name in sizes.nodes if name not in sizes.small]
    only = f" (node {large[0]!r})" if large else ""
    lacks = [f"node {name!r}: {_shown(*lacking[0])}" for name, lacking in sizes.small.items()]
    more = f" and {len(lacks) - _MOST} more" if len(lacks) > _MOST else ""
    message = (
        f"the VM's pod fits {len(large)} of {len(sizes.nodes)} nodes{only} when they are empty, so a live migration finds no "
        f"target node: {', '.join(lacks[:_MOST])}{more}"
    )
    yield Violation(facts.vmi.at("domain"), message, "size of nodes")


def _shown(resource: str, wanted: int, allocatable: int) -> str:
    if resource == "cpu":
        return f"Insufficient cpu ({wanted}m of {allocatable}m)"
    return f"Insufficient {resource} ({-(-wanted // _MIB)}Mi of {allocatable // _MIB}Mi)"


def _node(name: str, **allocatable: str) -> Json:
    return node(name) | {"status": {"allocatable": allocatable}}


_VM = "{domain: {devices: {}, cpu: {cores: 8}, memory: {guest: 60Gi}}}"
_PINNED = "{domain: {devices: {}, cpu: {cores: 8, dedicatedCpuPlacement: true}, memory: {guest: 8Gi}}}"
_LARGE = _node("n1", cpu="32", memory="128Gi")
_AT = ("domain",)
RULE = Rule(
    id="LM518",
    name="larger-than-other-nodes",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="Fewer than two nodes are large enough for the VM's pod.",
    rationale=(
        "The target pod requests the memory and CPUs of the VM and KubeVirt's overhead. If it is larger than what the other "
        "nodes can allocate, the migration finds no target node, even if these nodes are empty. Other pods on the nodes do not "
        "count here: `migratable drain` counts them."
    ),
    remediation="Make the VM smaller, or add a second node that is large enough.",
    source=(
        "pkg/virt-controller/services/renderresources.go, v1.9.0; "
        "pkg/scheduler/framework/plugins/noderesources of Kubernetes v1.34"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("two large nodes", _VM, world=(_LARGE, _node("n2", cpu="16", memory="64Gi"))),
        Example("nodes without status.allocatable", _VM, world=(node("n1"), node("n2"))),
        Example("a second node without status.allocatable", _VM, world=(_LARGE, node("n2"))),
        Example("one node", _VM, world=(_node("n1", cpu="4", memory="16Gi"),)),
        Example(
            "a second node with too little memory",
            _VM,
            world=(_LARGE, _node("n2", cpu="32", memory="60Gi")),
            violates=_AT,
        ),
        Example(
            "a second node with too few CPUs",
            _PINNED,
            world=(_LARGE, _node("n2", cpu="8", memory="128Gi")),
            violates=_AT,
        ),
        Example(
            "two nodes, neither of which is large enough",
            _VM,
            world=(_node("n1", cpu="32", memory="32Gi"), _node("n2", cpu="32", memory="32Gi")),
            violates=_AT,
        ),
    ),
)
