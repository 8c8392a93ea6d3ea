"""A policy cannot have both stallDetector and downtimeTuning."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import DOWNTIME_TUNING_SINCE
from webhook.rules.example import kubevirt
from webhook.rules.policies._policy import BASE, policy
from webhook.rules.policies.downtime_gate import DOWNTIME_TUNING, STALL_DETECTOR
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import GATES_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    experimental = facts.settings.get(EXPERIMENTAL)
    if not isinstance(experimental, dict):
        return
    if experimental.get(DOWNTIME_TUNING) is not None and experimental.get(STALL_DETECTOR) is not None:
        yield Violation(
            (*BASE, EXPERIMENTAL, DOWNTIME_TUNING),
            f"{EXPERIMENTAL}.{DOWNTIME_TUNING} cannot be set together with {EXPERIMENTAL}.{STALL_DETECTOR}, which has its "
            "own schedule of downtimes",
            f"{EXPERIMENTAL}.{DOWNTIME_TUNING}",
            releases=DOWNTIME_TUNING_SINCE,
        )


_GATES = ["MigrationStallDetection", "MigrationDowntimeTuning"]
_WITH_GATES = (kubevirt(developerConfiguration={"featureGates": _GATES}),)
_BOTH = "experimental: {stallDetector: {stallMargin: 4}, downtimeTuning: {steps: 7}}"
_AT = ("experimental.downtimeTuning",)
RULE = Rule(
    id="LM649",
    name="policy-tuning-conflict",
    about=About.POLICY,
    summary="A MigrationPolicy sets both stallDetector and downtimeTuning.",
    rationale="From 1.10 on, KubeVirt refuses a policy with both fields. Earlier releases have no field downtimeTuning.",
    remediation="Remove experimental.downtimeTuning or experimental.stallDetector.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/migrationpolicy-admitter.go, main of 2026-08-22 (after v1.9.0)"
    ),
    reference=GATES_GUIDE,
    check=check,
    examples=(
        Example("only a stall detector", policy("experimental: {stallDetector: {stallMargin: 4}}"), world=_WITH_GATES),
        Example(
            "only downtime tuning", policy("experimental: {downtimeTuning: {steps: 7}}"), _WITH_GATES, release="1.10"
        ),
        Example("both in 1.9, which has no downtimeTuning", policy(_BOTH), world=_WITH_GATES),
        Example(
            "downtime tuning and null",
            policy("experimental: {stallDetector: null, downtimeTuning: {steps: 7}}"),
            world=_WITH_GATES,
            release="1.10",
        ),
        Example("both in 1.10", policy(_BOTH), world=_WITH_GATES, violates=_AT, release="1.10"),
        Example("both, without gates", policy(_BOTH), world=(kubevirt(),), violates=_AT, release="1.10"),
        Example(
            "both, and empty",
            policy("experimental: {stallDetector: {}, downtimeTuning: {}}"),
            world=_WITH_GATES,
            violates=_AT,
            release="1.10",
        ),
    ),
)
