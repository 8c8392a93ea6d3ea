"""A policy's setting has no effect in releases that do not have it."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.releases import KNOWN, Releases
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import DOWNTIME_TUNING_SINCE, STALL_DETECTION_SINCE
from webhook.objects.meta import Json
from webhook.rules.policies._policy import BASE, policy
from webhook.rules.policies.downtime_gate import DOWNTIME_TUNING
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import POLICY_GUIDE, POLICY_SETTINGS, too_new


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        having = POLICY_SETTINGS[name].releases if name in POLICY_SETTINGS else KNOWN
        if name == EXPERIMENTAL:
            having = STALL_DETECTION_SINCE
            yield from _downtime_tuning(value, facts.releases)
        yield from too_new(BASE, name, value, having, facts.releases)


def _downtime_tuning(experimental: Json, releases: Releases) -> Iterator[Outcome]:
    """Before 1.9, ``experimental`` itself does not exist."""
    tuning = experimental.get(DOWNTIME_TUNING) if isinstance(experimental, dict) else None
    without = STALL_DETECTION_SINCE & ~DOWNTIME_TUNING_SINCE
    if tuning is not None and releases & without:
        message = f"{EXPERIMENTAL}.{DOWNTIME_TUNING} does not exist in KubeVirt 1.9, which ignores it"
        yield Violation((*BASE, EXPERIMENTAL, DOWNTIME_TUNING), message, DOWNTIME_TUNING, releases=without)


RULE = Rule(
    id="LM633",
    name="policy-setting-too-new",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A setting of a MigrationPolicy is newer than this KubeVirt release.",
    rationale="In an older release, the API server drops the field, so the field has no effect.",
    remediation="Remove the field until the cluster runs a release that has it.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.4.1, v1.5.3, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("the first release of a setting", policy("allowWorkloadDisruption: true"), release="1.5"),
        Example(
            "one release earlier",
            policy("allowWorkloadDisruption: true"),
            violates=("allowWorkloadDisruption",),
            release="1.4",
        ),
        Example("a setting of all releases", policy("allowPostCopy: true"), release="1.3"),
        Example("a setting of 1.9", policy("maxDowntimeMs: 500")),
        Example("maxDowntimeMs in 1.8", policy("maxDowntimeMs: 500"), violates=("maxDowntimeMs",), release="1.8"),
        Example(
            "experimental in 1.8",
            policy("experimental: {compression: zstd}"),
            violates=("experimental",),
            release="1.8",
        ),
        Example(
            "downtime tuning in 1.9",
            policy("experimental: {downtimeTuning: {steps: 7}}"),
            violates=("experimental.downtimeTuning",),
        ),
        Example("downtime tuning in 1.10", policy("experimental: {downtimeTuning: {steps: 7}}"), release="1.10"),
    ),
)
