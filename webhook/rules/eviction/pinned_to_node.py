"""A live migration needs a second node that the VM can run on."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.selectors import REQUIRED, required_terms
from webhook.objects.path import FieldPath
from webhook.objects.scheduling import HOSTNAME, NodeRequirement, NodeTerm
from webhook.rules.example import instancetype, node
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation

NODE_NAME = "metadata.name"
_TERMS = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
_GPU = "{domain: {devices: {}}, nodeSelector: {gpu: 'yes'}}"
_LABEL = "Give the label to a second node, or select nodes by a label that several nodes have."


def check(facts: TargetFacts) -> Iterator[Outcome]:
    vmi = facts.vmi
    selector = vmi.node_selector
    selected = selector.value.get(HOSTNAME) if selector is not None else None
    if selector is not None and selected:
        yield _pinned(selector.path if selector.origin else (*selector.path, HOSTNAME), selected)
        return
    terms = required_terms(vmi)
    nodes = {_only_node(term) for term in terms or ()}
    if len(nodes) == 1 and (only := nodes.pop()) is not None:
        yield _pinned(vmi.at(*REQUIRED), only)
    elif selector is not None or terms is not None:
        yield from _counted(facts)


def _counted(facts: TargetFacts) -> Iterator[Outcome]:
    """The outcome for selectors that match fewer than two of the known nodes."""
    if isinstance(facts.nodes, Unknown):
        return
    from webhook.kubevirt.launcher.known_nodes import running_vms  # noqa: PLC0415 - few manifests have a node
    from webhook.kubevirt.launcher.second_node import selected_nodes, unknown_keys  # noqa: PLC0415

    known = running_vms(facts.nodes)
    found = selected_nodes(facts.vmi, known)
    if len(found) > 1 or (found and len(known) == 1) or not known:
        return
    path = _path(facts.vmi)
    missing = unknown_keys(facts.vmi, known) if not found else []
    if missing:
        yield Undetermined(
            path,
            f"the VM needs nodes with label {missing[0]!r}, but none of the provided nodes has it",
            "pass the nodes with all their labels, or correct the label",
            "selected nodes",
        )
        return
    count = f"only node {found[0]!r} matches" if found else "no node matches"
    yield Violation(
        path,
        f"{count} the VM's node selectors ({len(found)} of {len(known)}), so a live migration finds no target node",
        "selected nodes",
        _LABEL,
    )


def _path(facts: MigrationFacts) -> FieldPath:
    return facts.node_selector.path if facts.node_selector is not None else facts.at(*REQUIRED)


def _pinned(path: FieldPath, only: str) -> Violation:
    return Violation(
        path, f"the VM can run only on node {only!r}, so a live migration finds no target node", f"node {only}"
    )


def _only_node(term: NodeTerm) -> str | None:
    """The only node that a term matches, if the term selects nodes by name."""
    requirements = [requirement for requirement in term.match_expressions or () if requirement.key == HOSTNAME]
    requirements += [requirement for requirement in term.match_fields or () if requirement.key == NODE_NAME]
    return next((only for requirement in requirements if (only := _single(requirement)) is not None), None)


def _single(requirement: NodeRequirement) -> str | None:
    values = requirement.values or ()
    return values[0] if requirement.operator == "In" and len(values) == 1 else None


RULE = Rule(
    id="LM507",
    name="pinned-to-one-node",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="The VM can run only on one node.",
    rationale=(
        "KubeVirt reports such a VM as live-migratable. The target pod of a live migration can run only on this node, "
        "but KubeVirt requires another node. The pod waits until the migration times out. With evictionStrategy "
        "LiveMigrate, a node drain hangs."
    ),
    remediation="Select nodes by a label that several nodes have, such as `topology.kubernetes.io/zone: ZONE`.",
    source=(
        "pkg/virt-controller/watch/migration/migration.go createMigrationPodAntiAffinityRule and "
        "pkg/virt-controller/services/template.go, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/compute/node_assignment/",
    check=check,
    examples=(
        Example("the nodes of a zone", "{domain: {devices: {}}, nodeSelector: {topology.kubernetes.io/zone: a}}"),
        Example(
            "one node by nodeSelector",
            "{domain: {devices: {}}, nodeSelector: {kubernetes.io/hostname: node01}}",
            violates=("nodeSelector[kubernetes.io/hostname]",),
        ),
        Example(
            "one node by affinity",
            "{domain: {devices: {}}, "
            f"{_TERMS}[{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [node01]}}]}}]}}}}}}}}",
            violates=("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",),
        ),
        Example(
            "one node by affinity to its metadata.name",
            "{domain: {devices: {}}, "
            f"{_TERMS}[{{matchFields: [{{key: metadata.name, operator: In, values: [node01]}}]}}]}}}}}}}}",
            violates=("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",),
        ),
        Example("any node", "{domain: {devices: {}}}"),
        Example(
            "two nodes by affinity",
            "{domain: {devices: {}}, "
            f"{_TERMS}[{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [node01, node02]}}]}}]}}}}}}}}",
        ),
        Example(
            "a label that two of three nodes have",
            _GPU,
            world=(node("n1", gpu="yes"), node("n2", gpu="yes"), node("n3")),
        ),
        Example(
            "a label that one of two nodes has",
            _GPU,
            world=(node("n1", gpu="yes"), node("n2")),
            violates=("nodeSelector",),
        ),
        Example(
            "an instancetype with a label that one of two nodes has",
            "{domain: {devices: {}}}",
            vm_spec="{instancetype: {name: gpu}}",
            world=(node("n1", gpu="yes"), node("n2"), instancetype("gpu", nodeSelector={"gpu": "yes"})),
            violates=("spec.instancetype",),
        ),
        Example(
            "a label that no node has",
            _GPU,
            world=(node("n1"), node("n2")),
            undetermined=("nodeSelector",),
        ),
        Example(
            "a required affinity that one of two nodes matches",
            "{domain: {devices: {}}, "
            f"{_TERMS}[{{matchExpressions: [{{key: zone, operator: NotIn, values: [b]}}]}}]}}}}}}}}",
            world=(node("n1", zone="a"), node("n2", zone="b")),
            violates=("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",),
        ),
    ),
)
