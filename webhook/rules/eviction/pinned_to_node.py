"""A live migration needs a second node that the VM can run on."""

from collections.abc import Iterator

from webhook.facts.migration import MigrationFacts
from webhook.objects.path import FieldPath
from webhook.objects.vmi import NodeRequirement, NodeTerm
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

HOSTNAME = "kubernetes.io/hostname"
NODE_NAME = "metadata.name"
_REQUIRED: FieldPath = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
_TERMS = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    selected = (facts.spec.node_selector or {}).get(HOSTNAME)
    if selected:
        yield _pinned(facts.at("nodeSelector", HOSTNAME), selected)
        return
    affinity = facts.spec.affinity.node_affinity if facts.spec.affinity is not None else None
    terms = affinity.required.node_selector_terms if affinity is not None and affinity.required is not None else None
    nodes = {_only_node(term) for term in terms or ()}
    if len(nodes) == 1 and (node := nodes.pop()) is not None:
        yield _pinned(facts.at(*_REQUIRED), node)


def _pinned(path: FieldPath, node: str) -> Violation:
    return Violation(
        path, f"the VM can run only on node {node!r}, so a live migration finds no target node", f"node {node}"
    )


def _only_node(term: NodeTerm) -> str | None:
    """The only node that a term matches, if the term selects nodes by name."""
    requirements = [requirement for requirement in term.match_expressions or () if requirement.key == HOSTNAME]
    requirements += [requirement for requirement in term.match_fields or () if requirement.key == NODE_NAME]
    return next((node for requirement in requirements if (node := _single(requirement)) is not None), None)


def _single(requirement: NodeRequirement) -> str | None:
    values = requirement.values or ()
    return values[0] if requirement.operator == "In" and len(values) == 1 else None


RULE = Rule(
    id="LM507",
    name="pinned-to-one-node",
    about=About.VMI,
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
    ),
)
