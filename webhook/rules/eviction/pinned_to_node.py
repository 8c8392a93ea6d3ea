"""A migration needs a second node that the VM may run on."""

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
    wanted = (facts.spec.node_selector or {}).get(HOSTNAME)
    if wanted:
        yield _pinned(facts.at("nodeSelector", HOSTNAME), wanted)
        return
    affinity = facts.spec.affinity.node_affinity if facts.spec.affinity is not None else None
    terms = affinity.required.node_selector_terms if affinity is not None and affinity.required is not None else None
    nodes = {_only_node(term) for term in terms or ()}
    if len(nodes) == 1 and (node := nodes.pop()) is not None:
        yield _pinned(facts.at(*_REQUIRED), node)


def _pinned(path: FieldPath, node: str) -> Violation:
    return Violation(
        path, f"the VM may run on node {node!r} alone, so a migration finds no node to move it to", f"node {node}"
    )


def _only_node(term: NodeTerm) -> str | None:
    """The one node that a term lets pass, as far as its name is asked for."""
    named = [each for each in term.match_expressions or () if each.key == HOSTNAME]
    named += [each for each in term.match_fields or () if each.key == NODE_NAME]
    return next((node for each in named if (node := _single(each)) is not None), None)


def _single(requirement: NodeRequirement) -> str | None:
    values = requirement.values or ()
    return values[0] if requirement.operator == "In" and len(values) == 1 else None


RULE = Rule(
    id="LM507",
    name="pinned-to-one-node",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The VM may run on one node alone.",
    rationale=(
        "KubeVirt calls such a VM live-migratable, but the pod that is to take it over asks for the same node and must not "
        "run there: it waits until the migration is given up. With evictionStrategy LiveMigrate a drain of the node hangs."
    ),
    remediation="Select nodes by a label that several of them carry, e.g. their zone.",
    source=(
        "pkg/virt-controller/watch/migration/migration.go createMigrationPodAntiAffinityRule and "
        "pkg/virt-controller/services/template.go, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/compute/node_assignment/",
    check=check,
    examples=(
        Example("any node of a zone", "{domain: {devices: {}}, nodeSelector: {topology.kubernetes.io/zone: a}}"),
        Example(
            "one node by name",
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
            "one of two nodes by affinity",
            "{domain: {devices: {}}, "
            f"{_TERMS}[{{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [node01, node02]}}]}}]}}}}}}}}",
        ),
    ),
)
