"""A live migration needs a second node that the target pod fits."""

from collections.abc import Iterator, Mapping, Sequence

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.known_nodes import running_vms
from webhook.kubevirt.launcher.second_node import (
    Cause,
    Shortage,
    offered,
    selected_nodes,
    shortages,
)
from webhook.objects.meta import Json
from webhook.objects.nad import Node
from webhook.rules.example import kubevirt, node, tainted
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_MOST_CAUSES = 3
_MOST_OFFERED = 3
_LABELLED: Mapping[str, tuple[str, str]] = {
    "machine-type.node.kubevirt.io/": ("Use a machine type", "machine-type.node.kubevirt.io/TYPE"),
    "cpu-model.node.kubevirt.io/": ("Use a CPU model", "cpu-model.node.kubevirt.io/MODEL"),
    "cpu-feature.node.kubevirt.io/": ("Require only CPU features", "cpu-feature.node.kubevirt.io/FEATURE"),
}
"""By family of labels: the start of the remedy, and the labels."""
_REMEDIES: Mapping[str, str] = {
    "taint": "Add a toleration for the taint to the VM, or remove the taint from a node.",
    "affinity": "Change the required node affinity so that it matches a second node, or label a second node.",
    "scheduling.node.kubevirt.io/": (
        "Add a second node with this TSC frequency or with TSC scaling, or disable Hyper-V reenlightenment."
    ),
    "hyperv.node.kubevirt.io/": "Add a second node that supports the Hyper-V feature, or disable the feature.",
    "kubevirt.io/realtime": "Prepare a second node for realtime VMs, with kernel.sched_rt_runtime_us=-1.",
    "kubernetes.io/arch": "Add a second node of this architecture.",
    "cpumanager": "Enable the static CPU manager on a second node, or remove dedicatedCpuPlacement.",
    "kubevirt.io/cpumanager": "Enable the static CPU manager on a second node, or remove dedicatedCpuPlacement.",
}


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown):
        return
    nodes = running_vms(facts.nodes)
    if not nodes or (len(nodes) > 1 and len(selected_nodes(facts.vmi, nodes)) < 2):
        return
    for shortage in shortages(facts.vmi, nodes, facts.releases):
        if shortage.causes and (len(nodes) > 1 or not shortage.fitting):
            path = shortage.causes[0].path
            yield Violation(path, _message(shortage), "target node", _remedy(shortage, nodes), shortage.releases)


def _remedy(shortage: Shortage, nodes: Sequence[Node]) -> str:
    kind = shortage.causes[0].kind
    if kind in _LABELLED:
        use, labels = _LABELLED[kind]
        have = "two nodes have" if len(nodes) > 1 else "nodes have"
        names = offered(nodes, kind)
        if not names:
            return f"Add a node that has the label of the VM. No two nodes share a label {labels}."
        return f"{use} that {have} in their labels {labels}: {', '.join(names[:_MOST_OFFERED])}."
    return _REMEDIES.get(kind, f"Add the label {kind} with this value to a second node, or add a node.")


def _message(shortage: Shortage) -> str:
    causes = ", ".join(map(_counted, shortage.causes[:_MOST_CAUSES]))
    return f"the VM fits {_count(shortage.fitting, shortage.nodes)}, so a live migration finds no target node: {causes}"


def _count(fitting: Sequence[str], nodes: int) -> str:
    only = f" (node {fitting[0]!r})" if fitting else ""
    return f"{len(fitting)} of {nodes} node{'' if nodes == 1 else 's'}{only}"


def _counted(cause: Cause) -> str:
    where = f"node {cause.nodes[0]!r}" if len(cause.nodes) == 1 else f"{len(cause.nodes)} nodes"
    return f"{where}: {cause.text}"


_VM = "{domain: {devices: {}}}"
_TAINTED = tainted(node("n2"), "gpu", "x")
_TOLERATES = "{domain: {devices: {}}, tolerations: [{key: gpu, operator: Exists}]}"
_MACHINE = "{domain: {devices: {}, machine: {type: pc-q35-rhel7.6.0}}}"
_NEWER = "machine-type.node.kubevirt.io/pc-q35-rhel9.2.0"
_MODEL = "{domain: {devices: {}, cpu: {model: Haswell}}}"


def _with_tsc(name: str, own: str, usable: str) -> Json:
    """A node with its own TSC frequency, and with the label for a frequency that VMs can have on it."""
    return node(
        name,
        **{
            "kubevirt.io/schedulable": "true",
            "cpu-timer.node.kubevirt.io/tsc-frequency": own,
            f"scheduling.node.kubevirt.io/tsc-frequency-{usable}": "true",
        },
    )


_REALTIME = "{domain: {devices: {}, cpu: {realtime: {}, dedicatedCpuPlacement: true}}}"


def _with_model(name: str, model: str) -> Json:
    return node(name, **{f"cpu-model.node.kubevirt.io/{model}": "true"})


RULE = Rule(
    id="LM511",
    name="no-second-node",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="Fewer than two of the nodes fit the VM.",
    rationale=(
        "KubeVirt reports such a VM as live-migratable. The target pod has the VM's node selectors, tolerations, CPU "
        "model and machine type, and it cannot run on the source node. The pod stays unschedulable, and the "
        "migration fails after five minutes."
    ),
    remediation="Make the target pod fit a second node, or add a node.",
    source=(
        "pkg/virt-controller/services/nodeselectorrenderer.go and pkg/virt-controller/watch/migration/migration.go "
        "handlePendingPodTimeout, v1.9.0; pkg/scheduler/framework/plugins of Kubernetes v1.34"
    ),
    reference="https://kubevirt.io/user-guide/compute/node_assignment/",
    check=check,
    examples=(
        Example("two nodes without taints", _VM, world=(node("n1"), node("n2"))),
        Example("a toleration for the taint of the second node", _TOLERATES, world=(node("n1"), _TAINTED)),
        Example(
            "a taint of a node that is not ready",
            _VM,
            world=(node("n1"), tainted(node("n2"), "node.kubernetes.io/not-ready")),
        ),
        Example(
            "a CPU model that both nodes have",
            _MODEL,
            world=(_with_model("n1", "Haswell"), _with_model("n2", "Haswell")),
        ),
        Example("a machine type in KubeVirt 1.4", _MACHINE, world=(node("n1", **{_NEWER: "true"}),), release="1.4"),
        Example(
            "a taint of the second node",
            _VM,
            vm_spec="{runStrategy: Always}",
            world=(node("n1"), _TAINTED),
            violates=("spec.template.spec",),
        ),
        Example(
            "a machine type that no node has",
            _MACHINE,
            world=(node("n1", **{_NEWER: "true"}),),
            violates=("domain.machine.type",),
        ),
        Example(
            "a CPU model that one node has",
            _MODEL,
            world=(_with_model("n1", "Haswell"), _with_model("n2", "Broadwell")),
            violates=("domain.cpu.model",),
        ),
        Example(
            "realtime and one node for it",
            _REALTIME,
            world=(node("n1", **{"kubevirt.io/realtime": "true"}), node("n2")),
            violates=("domain.cpu.realtime",),
        ),
        Example(
            "realtime and two nodes for it",
            _REALTIME,
            world=(node("n1", **{"kubevirt.io/realtime": "true"}), node("n2", **{"kubevirt.io/realtime": "true"})),
        ),
        Example(
            "Hyper-V reenlightenment and nodes with different TSC frequencies",
            "{domain: {devices: {}, features: {hyperv: {reenlightenment: {}}}}}",
            world=(
                kubevirt(),
                _with_tsc("n1", "2100000000", "2100000000"),
                _with_tsc("n2", "2400000000", "2400000000"),
            ),
            violates=("domain.features.hyperv.reenlightenment",),
        ),
        Example(
            "Hyper-V reenlightenment and a second node with TSC scaling",
            "{domain: {devices: {}, features: {hyperv: {reenlightenment: {}}}}}",
            world=(
                kubevirt(),
                _with_tsc("n1", "2100000000", "2100000000"),
                _with_tsc("n2", "2400000000", "2100000000"),
            ),
        ),
        Example(
            "a second node that runs no VMs",
            _TOLERATES,
            world=(
                node("n1", **{"kubevirt.io/schedulable": "true"}),
                node("n2", **{"kubevirt.io/schedulable": "true", "zone": "a"}),
                tainted(node("n3", **{"kubevirt.io/schedulable": "false"}), "other"),
            ),
        ),
    ),
)
