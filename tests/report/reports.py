"""A small hand-written report with one of each thing that renderers handle."""

from typing import Any

from webhook.kubevirt.releases import SUPPORTED, release_names
from webhook.report import text
from webhook.report.model import (
    ExemptionReport,
    FindingReport,
    ObjectReport,
    ProblemReport,
    Report,
    SourceReport,
    SummaryReport,
    VerdictReport,
)
from webhook.rules.rule import About, Example, Rule

ALL = release_names(SUPPORTED)
FILE = "examples/vm.yaml"
TEXT = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: web, namespace: tenant}
spec:
  template:
    spec:
      domain:
        devices:
          filesystems:
          - {name: cm, virtiofs: {}}
          gpus:
          - name: card
            deviceName: nvidia.com/A10
      volumes:
      - name: os
        persistentVolumeClaim:
          claimName: os
      - name: two
        persistentVolumeClaim: {claimName: two}
"""
SOURCES = {FILE: TEXT.splitlines()}
BASE = "spec.template.spec"
SHARED = (
    "Use a claim whose spec.accessModes include ReadWriteMany. Access modes cannot be changed on an existing claim: make a "
    "new one, and copy the data."
)

NOT_SHARED = FindingReport(
    "LM201",
    "claim-not-shared",
    "kubevirt",
    "violation",
    "DisksNotLiveMigratable",
    "error",
    "deny",
    f"{BASE}.volumes[0]",
    15,
    9,
    17,
    24,
    "all",
    "claim 'os' is ReadWriteOnce",
    SHARED,
    None,
    release_list=ALL,
)
NOT_SHOWN = FindingReport(
    "LM201",
    "claim-not-shared",
    "kubevirt",
    "undetermined",
    "DisksNotLiveMigratable",
    "error",
    "warn",
    f"{BASE}.volumes[1]",
    18,
    9,
    19,
    48,
    "all",
    "PVC 'two' is not in the input",
    "add the manifest of PVC 'two' to the input",
    None,
    release_list=ALL,
)
UP_TO_1_4 = FindingReport(
    "LM203",
    "volume-mounted-as-filesystem",
    "kubevirt",
    "violation",
    "VirtIOFSNotLiveMigratable",
    "error",
    "deny",
    f"{BASE}.domain.devices.filesystems[0]",
    10,
    13,
    10,
    37,
    "1.3 to 1.4",
    "volume 'cm' is mounted into the guest as a filesystem (virtiofs)",
    "Attach the volume as a disk under devices.disks instead of devices.filesystems.",
    None,
    release_list=("1.3", "1.4"),
)
EXEMPTED = FindingReport(
    "LM302",
    "gpu",
    "baseline",
    "violation",
    "HostDeviceNotLiveMigratable",
    "error",
    "audit",
    f"{BASE}.domain.devices.gpus[0]",
    12,
    13,
    13,
    39,
    "all",
    "GPU 'card' is passed through to the guest",
    "Remove the entry from devices.gpus.",
    ExemptionReport("the renderer needs a card", "platform team", "2027-01-31"),
    release_list=ALL,
)
DRAIN = FindingReport(
    "LM501",
    "drain-blocked",
    "advice",
    "violation",
    None,
    "warning",
    "warn",
    BASE,
    6,
    5,
    19,
    48,
    "all",
    "evictionStrategy is LiveMigrate, and the VM cannot be live-migrated: draining its node will hang",
    "Remove what keeps the VM from migrating.",
    None,
    release_list=ALL,
)
FIXED_LIST = FindingReport(
    "LM103",
    "migration-ports-listed",
    "baseline",
    "violation",
    None,
    "error",
    "deny",
    "spec.domain.devices.interfaces[0].ports[0]",
    None,
    None,
    None,
    None,
    "all",
    "masquerade interface 'default' lists port 49152",
    "Use other port numbers.",
    None,
    release_list=ALL,
)
MISSPELT = FindingReport(
    "LM801",
    "unknown-kind",
    "advice",
    "violation",
    None,
    "error",
    "deny",
    "kind",
    2,
    1,
    3,
    1,
    "all",
    "no API server knows kind 'Kubevirt' in kubevirt.io",
    "Write kind: KubeVirt.",
    None,
    release_list=ALL,
)


def verdict(migratable: bool | None, reason: str | None = None, *assumptions: str) -> VerdictReport:
    """KubeVirt 1.9's verdict."""
    return VerdictReport(migratable, reason, "1.9", "LiveMigration", [], list(assumptions))


def vm(
    name: str, verdict_report: VerdictReport | None, *findings: FindingReport, file: str | None = FILE
) -> ObjectReport:
    """A VirtualMachine in namespace tenant. Without ``file``, it comes from a request."""
    source = SourceReport(file, 0, 1) if file is not None else None
    return ObjectReport("kubevirt.io/v1", "VirtualMachine", "tenant", name, source, verdict_report, list(findings))


def report(*objects: ObjectReport, release: str = "any", problems: tuple[ProblemReport, ...] = ()) -> Report:
    """A report with profile ``strict``. Renderers use only the number of objects of its counts."""
    summary = SummaryReport(len(objects), 0, 0, 0, 0, 0, len(problems))
    return Report("migratable/v1", "strict", release, list(objects), list(problems), [], summary)


PROBLEMS = (
    ProblemReport(
        "invalid YAML: did not find expected node content",
        "Correct the indentation of this line or of the line above.",
        "bad files/ä.yaml",
        None,
        7,
        3,
        "",
    ),
    ProblemReport(
        "wrong type: expected a string, got an integer",
        "Use the type that the Kubernetes API defines for this field.",
        "-",
        2,
        None,
        None,
        "metadata.name",
    ),
)

SMALL = Report(
    "migratable/v1",
    "strict",
    "any",
    [
        vm(
            "web",
            verdict(False, "DisksNotLiveMigratable", "the VM runs on amd64 (the field architecture is not set)"),
            NOT_SHARED,
            NOT_SHOWN,
            UP_TO_1_4,
            EXEMPTED,
            DRAIN,
        ),
        vm("good", verdict(True)),
        vm("older", verdict(True), UP_TO_1_4),
        vm("open", verdict(None), NOT_SHOWN),
        ObjectReport("kubevirt.io/v1", "VirtualMachineInstance", "", "", None, verdict(True), [FIXED_LIST]),
        ObjectReport(
            "kubevirt.io/v1", "Kubevirt", "kubevirt", "kubevirt", SourceReport("cr.yaml", 0, 1), None, [MISSPELT]
        ),
    ],
    list(PROBLEMS),
    ["KubeVirt 1.10 is newer than all supported releases and is judged as 1.9"],
    SummaryReport(6, 5, 3, 1, 2, 1, 2),
)


def rule(**changes: object) -> Rule:
    """A rule with short texts, for snapshots that do not change with the real rules."""
    fields: dict[str, object] = {
        "id": "LM201",
        "name": "claim-not-shared",
        "about": About.VMI,
        "summary": "A claim is not shared.",
        "rationale": "Two nodes need it at once.",
        "remediation": "Use a claim with ReadWriteMany.",
        "source": "pkg/virt-handler/vm.go, v1.9.0",
        "reference": "https://kubevirt.io/user-guide/",
        "check": lambda facts: iter(()),
        "examples": (
            Example("no volume", "{domain: {devices: {}}}"),
            Example("a claim", "{volumes: [{name: os}]}", violates=("volumes[0]",), undetermined=("volumes[1]",)),
        ),
    }
    return Rule(**(fields | changes))  # type: ignore[arg-type]


def as_text(answer: Report, **style: Any) -> str:
    return "".join(text.parts(answer, **style))
