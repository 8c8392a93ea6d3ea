"""A policy's setting has no effect in releases that do not have it."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.releases import KNOWN
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import STALL_DETECTION_SINCE
from webhook.rules.policies._policy import BASE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import POLICY_GUIDE, POLICY_SETTINGS, too_new


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        having = POLICY_SETTINGS[name].releases if name in POLICY_SETTINGS else KNOWN
        if name == EXPERIMENTAL:
            having = STALL_DETECTION_SINCE
        yield from too_new(BASE, name, value, having, facts.releases)


RULE = Rule(
    id="LM633",
    name="policy-setting-too-new",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A setting of a MigrationPolicy is newer than this KubeVirt release.",
    rationale="The API server drops the field in an older release, so it has no effect.",
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
    ),
)
