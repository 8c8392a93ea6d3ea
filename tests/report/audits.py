"""Small audit reports, written by hand."""

from collections.abc import Sequence

from msgspec.structs import replace

from tests.report.reports import ALL, verdict
from webhook.report.audited import AuditReport, ConditionReport, DisagreementReport, UnreadReport
from webhook.report.model import FindingReport, FixReport, ObjectReport, VerdictReport, summarise

INTERFACE = "spec.template.spec.domain.devices.interfaces[0]"
SHARED = "Use a claim whose access modes include ReadWriteMany."
MASQUERADE = "/spec/template/spec/domain/devices/interfaces/0"


def live(
    name: str,
    migratable: bool | None,
    *findings: FindingReport,
    namespace: str = "tenant",
    kind: str = "VirtualMachine",
    version: str = "kubevirt.io/v1",
) -> ObjectReport:
    """An object of a cluster. ``migratable`` is the verdict of a VM."""
    is_machine = kind.startswith("VirtualMachine")
    reasons = (one.reason for one in findings if one.reason is not None and one.basis == "kubevirt")
    reason = next(reasons, "DisksNotLiveMigratable") if migratable is False else None
    shown: VerdictReport | None = verdict(migratable, reason) if is_machine else None
    return ObjectReport(version, kind, namespace, name, None, shown, list(findings), "1.9" if is_machine else "")


def finding(rule: str, name: str, message: str, remedy: str, **changes: object) -> FindingReport:
    """A denied violation of a rule of KubeVirt, with ``changes``."""
    fields: dict[str, object] = {
        "rule": rule,
        "name": name,
        "basis": "kubevirt",
        "outcome": "violation",
        "reason": None,
        "severity": "error",
        "action": "deny",
        "path": "",
        "line": None,
        "column": None,
        "end_line": None,
        "end_column": None,
        "releases": "all",
        "message": message,
        "remedy": remedy,
        "exemption": None,
        "release_list": ALL,
    }
    return FindingReport(**(fields | changes))  # type: ignore[arg-type]


def not_shared(claim: str) -> FindingReport:
    """LM201 without a fix."""
    return finding(
        "LM201",
        "claim-not-shared",
        f"claim '{claim}' is ReadWriteOnce",
        SHARED,
        reason="DisksNotLiveMigratable",
        path="spec.template.spec.volumes[0]",
    )


def unproven(claim: str) -> FindingReport:
    """LM201 for a claim that cannot be read."""
    return replace(
        not_shared(claim),
        outcome="undetermined",
        action="warn",
        message=f"claim '{claim}' cannot be read",
        remedy=f"grant get on PVC '{claim}'",
    )


def bridge() -> FindingReport:
    """LM101 with one option."""
    patch = [
        {"op": "test", "path": f"{MASQUERADE}/bridge", "value": {}},
        {"op": "move", "from": f"{MASQUERADE}/bridge", "path": f"{MASQUERADE}/masquerade"},
    ]
    return finding(
        "LM101",
        "bridge-on-pod-network",
        "interface 'default' is bound with bridge to the pod network",
        "Use masquerade.",
        reason="InterfaceNotLiveMigratable",
        path=INTERFACE,
        fixes=[FixReport("write masquerade: {} instead of bridge", False, patch)],
    )


def drain_blocked() -> FindingReport:
    """LM501 with two options."""
    path = "/spec/template/spec/evictionStrategy"
    options = [
        FixReport(f"write evictionStrategy: {value}", False, [{"op": "add", "path": path, "value": value}])
        for value in ("LiveMigrateIfPossible", "None")
    ]
    return finding(
        "LM501",
        "drain-blocked",
        "evictionStrategy is LiveMigrate, and the VM cannot be live-migrated",
        "Remove what keeps the VM from migrating.",
        basis="advice",
        severity="warning",
        action="warn",
        path="spec.template.spec",
        fixes=options,
    )


def quoted_number() -> FindingReport:
    """LM601 with a safe fix."""
    path = "/spec/configuration/migrations/allowAutoConverge"
    patch = [
        {"op": "test", "path": path, "value": "true"},
        {"op": "replace", "path": path, "value": True},
    ]
    return finding(
        "LM601",
        "setting-of-wrong-type",
        "allowAutoConverge is a string",
        "Write a boolean.",
        basis="advice",
        path="spec.configuration.migrations.allowAutoConverge",
        fixes=[FixReport("remove the quotes", True, patch)],
    )


def audit_report(
    *objects: ObjectReport,
    disagreements: Sequence[DisagreementReport] = (),
    unread: Sequence[UnreadReport] = (),
    notes: Sequence[str] = (),
) -> AuditReport:
    """An audit of all namespaces with profile ``strict``."""
    return AuditReport(
        "migratable/v1",
        "strict",
        "1.9",
        list(objects),
        [],
        list(notes),
        summarise(objects, []),
        unread=tuple(unread),
        disagreements=tuple(disagreements),
    )


DISAGREEMENT = DisagreementReport(
    "tenant",
    "good",
    "LiveMigratable",
    ConditionReport(False, "HostDeviceNotLiveMigratable"),
    ConditionReport(True),
)
SMALL_AUDIT = audit_report(
    live("web", False, bridge(), not_shared("os"), drain_blocked()),
    live("open", None, unproven("data")),
    live("good", True),
    live("other", False, not_shared("disk"), namespace="lab"),
    live("kubevirt", None, quoted_number(), namespace="kubevirt", kind="KubeVirt"),
    disagreements=[DISAGREEMENT],
    unread=[
        UnreadReport("PersistentVolume"),
        UnreadReport("StorageClass", "", "timed out", is_refused=False),
        UnreadReport("StorageProfile"),
    ],
    notes=["KubeVirt 1.10 is newer than all supported releases and is judged as 1.9"],
)
