"""A policy's maxDowntimeMs, stallDetector and downtimeTuning need feature gates."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.feature_gates import MIGRATION_DOWNTIME_TUNING, MIGRATION_STALL_DETECTION
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import DOWNTIME_TUNING_SINCE, MAX_DOWNTIME
from webhook.objects.path import FieldPath
from webhook.rules.example import kubevirt
from webhook.rules.policies._policy import ADMITTER, BASE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import GATES_GUIDE
from webhook.rules.settings.downtime_gate import without_gate

STALL_DETECTOR = "stallDetector"
DOWNTIME_TUNING = "downtimeTuning"


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for path, name in _gated(facts):
        yield from without_gate(path, name, name, facts.feature_gates)
    experimental = facts.settings.get(EXPERIMENTAL)
    if not isinstance(experimental, dict) or experimental.get(DOWNTIME_TUNING) is None:
        return
    if not isinstance(facts.feature_gates, Unknown) and MIGRATION_DOWNTIME_TUNING not in facts.feature_gates:
        name = f"{EXPERIMENTAL}.{DOWNTIME_TUNING}"
        message = f"{name} is set, but the KubeVirt CR does not list feature gate {MIGRATION_DOWNTIME_TUNING}"
        yield Violation(
            (*BASE, EXPERIMENTAL, DOWNTIME_TUNING),
            message,
            name,
            f"List {MIGRATION_DOWNTIME_TUNING} in developerConfiguration.featureGates, or remove the field.",
            releases=DOWNTIME_TUNING_SINCE,
        )


def _gated(facts: PolicyFacts) -> Iterator[tuple[FieldPath, str]]:
    if MAX_DOWNTIME in facts.settings:
        yield (*BASE, MAX_DOWNTIME), MAX_DOWNTIME
    experimental = facts.settings.get(EXPERIMENTAL)
    if isinstance(experimental, dict) and experimental.get(STALL_DETECTOR) is not None:
        yield (*BASE, EXPERIMENTAL, STALL_DETECTOR), f"{EXPERIMENTAL}.{STALL_DETECTOR}"


_WITH_GATE = (kubevirt(developerConfiguration={"featureGates": [MIGRATION_STALL_DETECTION]}),)
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
        Example("the gate is listed", policy("maxDowntimeMs: 500"), world=_WITH_GATE),
        Example("compression, which needs no gate", policy("experimental: {compression: zstd}"), world=(kubevirt(),)),
        Example("before 1.9", policy("maxDowntimeMs: 500"), world=(kubevirt(),), release="1.8"),
        Example("no gates", policy("maxDowntimeMs: 500"), world=(kubevirt(),), violates=("maxDowntimeMs",)),
        Example(
            "a stall detector, and no gates",
            policy("experimental: {stallDetector: {stallMargin: 4}}"),
            world=(kubevirt(),),
            violates=("experimental.stallDetector",),
        ),
        Example(
            "another gate",
            policy("maxDowntimeMs: 500"),
            world=(kubevirt(developerConfiguration={"featureGates": ["VGPULiveMigration"]}),),
            violates=("maxDowntimeMs",),
        ),
        Example(
            "downtime tuning in 1.10, and no gates",
            policy("experimental: {downtimeTuning: {steps: 7}}"),
            world=(kubevirt(),),
            violates=("experimental.downtimeTuning",),
            release="1.10",
        ),
        Example(
            "a downtime in 1.10, and the gate of downtime tuning",
            policy("maxDowntimeMs: 500"),
            world=(kubevirt(developerConfiguration={"featureGates": [MIGRATION_DOWNTIME_TUNING]}),),
            release="1.10",
        ),
        Example("no KubeVirt CR provided", policy("maxDowntimeMs: 500"), undetermined=("maxDowntimeMs",)),
    ),
)
