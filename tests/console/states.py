"""States of a cluster by hand, and a source that holds one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from webhook.console.state import VM, Drains, MatchedPolicy, State
from webhook.drain.plan import Detail, DrainReport, Machine, NodePlan, Outcome, Seconds, Step
from webhook.drain.vm_explanation import VMExplanation
from webhook.report.audit_metrics import Migratability
from webhook.report.audited import Audited, ConditionReport, DisagreementReport, UnreadReport
from webhook.report.model import (
    ExemptionReport,
    FindingReport,
    FixReport,
    ObjectReport,
    ProblemReport,
    VerdictReport,
)

MIGRATABLE, REFUSED, UNPROVEN = Migratability.MIGRATABLE, Migratability.NOT_MIGRATABLE, Migratability.UNPROVEN
LIVE = {MIGRATABLE: True, REFUSED: False, UNPROVEN: None}
DISKS = "DisksNotLiveMigratable"


@dataclass
class Fixed:
    """A source whose state does not change by itself."""

    held: State
    objects: Mapping[tuple[str, str], tuple[Audited, ...]] = field(default_factory=dict)
    explanations: Mapping[tuple[str, str], VMExplanation] = field(default_factory=dict)

    def state(self) -> State:
        return self.held

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        return self.objects.get((namespace, name), ())

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        return self.explanations.get((namespace, name))


def finding(rule: str = "LM201", action: str = "deny", **changes: object) -> FindingReport:
    """A violation in a VirtualMachine."""
    fields: dict[str, object] = {
        "rule": rule,
        "name": "claim-not-shared",
        "basis": "kubevirt",
        "outcome": "violation",
        "reason": DISKS,
        "severity": "error",
        "action": action,
        "path": "spec.template.spec.volumes[0]",
        "line": None,
        "column": None,
        "end_line": None,
        "end_column": None,
        "releases": "1.9",
        "message": "claim 'os' is ReadWriteOnce",
        "remedy": "Use a claim with `accessModes: [ReadWriteMany]`.",
        "exemption": None,
    }
    return FindingReport(**(fields | changes))  # type: ignore[arg-type]


FIX = FixReport(
    "Set evictionStrategy", True, [{"op": "add", "path": "/spec/template/spec/evictionStrategy", "value": "None"}]
)
EXEMPTION = ExemptionReport("agreed", "platform-team", "2027-01-01")


def audited(
    namespace: str,
    name: str,
    *findings: FindingReport,
    verdict: Migratability | None = MIGRATABLE,
    kind: str = "VirtualMachine",
) -> Audited:
    """A judged object."""
    is_vm = kind.startswith("VirtualMachine")
    known = (
        VerdictReport(LIVE[verdict], DISKS if verdict is REFUSED else None, "1.9", "LiveMigration", [], [])
        if verdict
        else None
    )
    report = ObjectReport("kubevirt.io/v1", kind, namespace, name, None, known, list(findings), "1.9")
    return Audited(report, "uid", is_vm, is_vm, "LiveMigrate")


def vm(namespace: str, name: str, verdict: Migratability = MIGRATABLE, *rules: str, **changes: object) -> VM:
    """A row of the list."""
    fields: dict[str, object] = {
        "reason": DISKS if verdict is REFUSED else "",
        "action": "deny" if rules else "",
        "rules": rules,
        "is_running": True,
        "strategy": "LiveMigrate",
    }
    return VM(namespace, name, "VirtualMachine", verdict, **(fields | changes))  # type: ignore[arg-type]


def machine(namespace: str, name: str, outcome: Outcome = Outcome.MOVES, **changes: object) -> Machine:
    """The effect of a drain on a VMI."""
    fields: dict[str, object] = {}
    if outcome is Outcome.BLOCKS:
        fields = {
            "detail": Detail.NOT_MIGRATABLE,
            "message": "KubeVirt refuses the eviction.",
            "remedy": "Shut it down.",
        }
    elif outcome is Outcome.MOVES:
        fields = {"nodes": ("node-b",), "node_count": 1, "seconds": Seconds(10, 60)}
    return Machine(namespace, name, outcome, **(fields | changes))  # type: ignore[arg-type]


def drains(*nodes: NodePlan, **changes: object) -> Drains:
    """The rehearsals of the drain of each node."""
    step = Step("blue/refused: Shut it down.", ("blue/refused",), ("node-a",))
    return Drains(DrainReport(nodes, "each", "1.9.0", (step,)), **changes)  # type: ignore[arg-type]


NODE_A = NodePlan(
    "node-a", Outcome.BLOCKS, (machine("blue", "refused", Outcome.BLOCKS), machine("red", "good")), slots=2
)
NODE_B = NodePlan("node-b", Outcome.MOVES, (machine("blue", "good"),), Seconds(10, 60), slots=2)
POLICY = MatchedPolicy(
    "fast",
    (("allowPostCopy", "true"),),
    (("vmi", "tier", "gold"),),
    decides=(("blue", "good"), ("red", "good")),
    tied_with=("slow",),
)
OTHER_POLICY = MatchedPolicy(
    "slow",
    (("bandwidthPerMigration", "64Mi"),),
    (("vmi", "size", "large"),),
    loses=(("blue", "good", "fast"), ("red", "good", "fast")),
    tied_with=("fast",),
)
STATE = State(
    "1",
    "cluster-1",
    "1.9",
    "strict",
    vms=(
        vm("blue", "good"),
        vm("blue", "refused", REFUSED, "LM201"),
        vm("blue", "stopped", UNPROVEN, "LM202", is_running=False, action="warn"),
        vm("red", "good", is_disputed=True),
    ),
    others=(
        audited(
            "kubevirt", "kubevirt", finding("LM601", "warn", path="spec.configuration"), verdict=None, kind="KubeVirt"
        ),
    ),
    policies=(POLICY, OTHER_POLICY),
    drains=drains(NODE_A, NODE_B, rehearsed_at=1_800_000_000.0),
    unread=(UnreadReport("NetworkAttachmentDefinition"), UnreadReport("PersistentVolumeClaim", "red")),
    problems=(ProblemReport("cannot read it", "Mend it.", "VirtualMachine red/broken", None, None, None, ""),),
    judged_at=1_800_000_010.0,
    notes=("the KubeVirt CR names the release",),
)
"""Two namespaces, two nodes, two policies that tie."""
OBJECTS = {
    ("blue", "good"): (audited("blue", "good"),),
    ("blue", "refused"): (
        audited(
            "blue", "refused", finding(fixes=[FIX]), finding("LM501", "audit", exemption=EXEMPTION), verdict=REFUSED
        ),
    ),
    ("blue", "stopped"): (
        audited("blue", "stopped", finding("LM202", "warn", outcome="undetermined"), verdict=UNPROVEN),
    ),
    ("red", "good"): (
        replace(
            audited("red", "good"),
            disagreements=(
                DisagreementReport(
                    "red", "good", "LiveMigratable", ConditionReport(False, DISKS), ConditionReport(True)
                ),
            ),
        ),
    ),
}
SOURCE = Fixed(STATE, OBJECTS)
