"""A live migration needs a second node that can run VMs now."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.known_nodes import closed_nodes, known_to_run_vms
from webhook.kubevirt.launcher.second_node import fitting_nodes, two_fit
from webhook.rules.example import node
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_MOST = 3


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown):
        return
    known, reasons = known_to_run_vms(facts.nodes), closed_nodes(facts.nodes)
    if not reasons or two_fit(facts.vmi, known, reasons, facts.releases):
        return
    fitting = [node.name for node in fitting_nodes(facts.vmi, known, facts.releases).nodes]
    free = [name for name in fitting if name not in reasons]
    if len(fitting) < 2 or len(free) > 1:
        return
    closed = [f"node {name!r}: {reasons[name]}" for name in fitting if name in reasons]
    more = f" and {len(closed) - _MOST} more" if len(closed) > _MOST else ""
    can = f"only node {free[0]!r} of {len(fitting)} nodes can" if free else f"none of {len(fitting)} nodes can"
    message = f"{can} run the VM now, so a live migration finds no target node: {', '.join(closed[:_MOST])}{more}"
    yield Violation(facts.vmi.base, message, "target node now")


_VM = "{domain: {devices: {}}}"
_CORDONED = node("n2") | {"spec": {"unschedulable": True}}
_READY = {"kubevirt.io/schedulable": "true"}
_NOT_READY = {"kubevirt.io/schedulable": "false"}
_ALWAYS = "{runStrategy: Always}"
_AT = ("spec.template.spec",)
RULE = Rule(
    id="LM514",
    name="no-second-node-now",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="Two nodes fit the VM, but fewer than two of them can run VMs now.",
    rationale=(
        "A pod does not start on a node that is cordoned, or on which virt-handler does not run. If the other node is drained "
        "in this state, the target pod stays unschedulable, the migration fails after five minutes, and the drain waits."
    ),
    remediation=(
        "Before a drain, uncordon a node with `kubectl uncordon NODE`. If the label kubevirt.io/schedulable is not true, check "
        "the virt-handler pod of the node."
    ),
    source=(
        "pkg/virt-controller/watch/node/node.go and pkg/virt-controller/services/nodeselectorrenderer.go, v1.9.0; "
        "pkg/scheduler/framework/plugins/nodeunschedulable of Kubernetes v1.34"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("two nodes", _VM, world=(node("n1", **_READY), node("n2", **_READY))),
        Example("a third node that is cordoned", _VM, world=(node("n1"), _CORDONED, node("n3"))),
        Example("one node", _VM, world=(node("n1"),)),
        Example("a node on which virt-handler never ran", _VM, world=(node("n1", **_READY), node("n2"))),
        Example(
            "a cordoned node that the VM does not select",
            "{domain: {devices: {}}, nodeSelector: {gpu: 'yes'}}",
            world=(node("n1", gpu="yes"), _CORDONED),
        ),
        Example("a second node that is cordoned", _VM, vm_spec=_ALWAYS, world=(node("n1"), _CORDONED), violates=_AT),
        Example(
            "a second node without a running virt-handler",
            _VM,
            vm_spec=_ALWAYS,
            world=(node("n1", **_READY), node("n2", **_NOT_READY)),
            violates=_AT,
        ),
        Example(
            "two nodes, neither of which can run VMs",
            _VM,
            vm_spec=_ALWAYS,
            world=(node("n1", **_NOT_READY), node("n2", **_NOT_READY)),
            violates=_AT,
        ),
    ),
)
