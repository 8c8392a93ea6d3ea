"""The longest allowed downtime belongs to a feature that is off unless its gate is listed."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.feature_gates import MIGRATION_STALL_DETECTION
from webhook.kubevirt.settings.settings import MAX_DOWNTIME, STALL_DETECTION_SINCE, written
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import GATES_GUIDE, cr, setting, spot

_GATE = "developerConfiguration: {featureGates: [MigrationStallDetection]}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if MAX_DOWNTIME in values and MIGRATION_STALL_DETECTION not in facts.feature_gates:
        yield setting(
            MAX_DOWNTIME,
            values[MAX_DOWNTIME],
            f"{MAX_DOWNTIME} is written, but feature gate {MIGRATION_STALL_DETECTION} is not listed",
            "",
            STALL_DETECTION_SINCE,
        )


RULE = Rule(
    id="LM611",
    name="downtime-without-gate",
    about=About.SETTINGS,
    summary="maxDowntimeMs is written without the feature gate that it needs.",
    rationale="KubeVirt refuses an update of the CR that changes maxDowntimeMs while the alpha gate is off.",
    remediation="List MigrationStallDetection in developerConfiguration.featureGates, or remove maxDowntimeMs.",
    source="pkg/virt-operator/webhooks/kubevirt-update-admitter.go, v1.9.0 line 571",
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("with its gate", cr("maxDowntimeMs: 500", _GATE)),
        Example("without", cr("maxDowntimeMs: 500"), violates=(spot("maxDowntimeMs"),)),
    ),
)
