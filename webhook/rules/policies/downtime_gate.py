"""A policy's longest downtime and stall detector belong to a feature that is off unless its gate is listed."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.feature_gates import MIGRATION_STALL_DETECTION
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import MAX_DOWNTIME, STALL_DETECTION_SINCE
from webhook.objects.path import FieldPath
from webhook.rules.example import kubevirt
from webhook.rules.policies._policy import ADMITTER, BASE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation
from webhook.rules.settings._words import GATES_GUIDE

STALL_DETECTOR = "stallDetector"


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for path, name in _gated(facts):
        if isinstance(facts.feature_gates, Unknown):
            yield Undetermined(
                path,
                f"{name} needs feature gate {MIGRATION_STALL_DETECTION}; {facts.feature_gates.why}",
                facts.feature_gates.settle,
                name,
                STALL_DETECTION_SINCE,
            )
        elif MIGRATION_STALL_DETECTION not in facts.feature_gates:
            message = f"{name} is written, but the KubeVirt CR does not list feature gate {MIGRATION_STALL_DETECTION}"
            yield Violation(path, message, name, releases=STALL_DETECTION_SINCE)


def _gated(facts: PolicyFacts) -> Iterator[tuple[FieldPath, str]]:
    if MAX_DOWNTIME in facts.settings:
        yield (*BASE, MAX_DOWNTIME), MAX_DOWNTIME
    experimental = facts.settings.get(EXPERIMENTAL)
    if isinstance(experimental, dict) and experimental.get(STALL_DETECTOR) is not None:
        yield (*BASE, EXPERIMENTAL, STALL_DETECTOR), f"{EXPERIMENTAL}.{STALL_DETECTOR}"


_WITH = (kubevirt(developerConfiguration={"featureGates": [MIGRATION_STALL_DETECTION]}),)
RULE = Rule(
    id="LM645",
    name="policy-downtime-without-gate",
    about=About.POLICY,
    summary="A MigrationPolicy has a setting of stall detection without the feature gate that it needs.",
    rationale="KubeVirt refuses a policy that sets maxDowntimeMs or experimental.stallDetector while the alpha gate is off.",
    remediation="List MigrationStallDetection in developerConfiguration.featureGates of the KubeVirt CR, or remove the field.",
    source=ADMITTER,
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("with its gate", policy("maxDowntimeMs: 500"), world=_WITH),
        Example("compression needs no gate", policy("experimental: {compression: zstd}"), world=(kubevirt(),)),
        Example("without", policy("maxDowntimeMs: 500"), world=(kubevirt(),), violates=("maxDowntimeMs",)),
        Example(
            "a stall detector without",
            policy("experimental: {stallDetector: {stallMargin: 4}}"),
            world=(kubevirt(),),
            violates=("experimental.stallDetector",),
        ),
        Example("nobody showed us the KubeVirt CR", policy("maxDowntimeMs: 500"), undetermined=("maxDowntimeMs",)),
    ),
)
