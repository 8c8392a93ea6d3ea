"""maxDowntimeMs needs the feature gate of stall detection."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.feature_gates import MIGRATION_DOWNTIME_TUNING, MIGRATION_STALL_DETECTION
from webhook.kubevirt.settings.settings import DOWNTIME_TUNING_SINCE, MAX_DOWNTIME, STALL_DETECTION_SINCE, written
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation
from webhook.rules.settings._setting import GATES_GUIDE, cr, setting_path

_GATE = "developerConfiguration: {featureGates: [MigrationStallDetection]}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if MAX_DOWNTIME in values:
        subject = f"{MAX_DOWNTIME} {shown(values[MAX_DOWNTIME])}"
        yield from without_gate((*MIGRATIONS, MAX_DOWNTIME), MAX_DOWNTIME, subject, facts.feature_gates)


def without_gate(
    path: FieldPath, name: str, subject: str, feature_gates: Fact[tuple[str, ...]]
) -> Iterator[Violation | Undetermined]:
    """
    A violation for a setting of stall detection if the KubeVirt CR does not list the feature gate. In 1.10 the gate of downtime
    tuning also allows ``maxDowntimeMs``.
    """
    if isinstance(feature_gates, Unknown):
        why = f"{name} needs feature gate {MIGRATION_STALL_DETECTION}; {feature_gates.why}"
        yield Undetermined(path, why, feature_gates.settle, subject, STALL_DETECTION_SINCE)
    elif MIGRATION_STALL_DETECTION not in feature_gates:
        message = f"{name} is set, but the KubeVirt CR does not list feature gate {MIGRATION_STALL_DETECTION}"
        is_allowed = name == MAX_DOWNTIME and MIGRATION_DOWNTIME_TUNING in feature_gates
        releases = STALL_DETECTION_SINCE & ~DOWNTIME_TUNING_SINCE if is_allowed else STALL_DETECTION_SINCE
        yield Violation(path, message, subject, releases=releases)


RULE = Rule(
    id="LM611",
    name="downtime-without-gate",
    about=About.SETTINGS,
    summary="maxDowntimeMs is set without the feature gate that it needs.",
    rationale="KubeVirt refuses an update of the CR that changes maxDowntimeMs while the alpha gate is off.",
    remediation="List MigrationStallDetection in developerConfiguration.featureGates, or remove maxDowntimeMs.",
    source="pkg/virt-operator/webhooks/kubevirt-update-admitter.go, v1.9.0 line 571",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("the gate is listed", cr("maxDowntimeMs: 500", _GATE)),
        Example("no maxDowntimeMs", cr("allowPostCopy: true")),
        Example("before 1.9", cr("maxDowntimeMs: 500"), release="1.8"),
        Example("no gates", cr("maxDowntimeMs: 500"), violates=(setting_path("maxDowntimeMs"),)),
        Example(
            "another gate",
            cr("maxDowntimeMs: 500", "developerConfiguration: {featureGates: [VGPULiveMigration]}"),
            violates=(setting_path("maxDowntimeMs"),),
        ),
        Example(
            "the gate is disabled",
            cr("maxDowntimeMs: 500", "developerConfiguration: {disabledFeatureGates: [MigrationStallDetection]}"),
            violates=(setting_path("maxDowntimeMs"),),
        ),
    ),
)
