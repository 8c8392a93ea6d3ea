"""A policy's setting of a later release does nothing in this one."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.releases import KNOWN, newest
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import SETTINGS, STALL_DETECTION_SINCE
from webhook.rules.policies._policy import policy, setting
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        known = SETTINGS.get(name)
        having = known.releases if known is not None and known.policy else KNOWN
        if name == EXPERIMENTAL:
            having = STALL_DETECTION_SINCE
        if facts.releases & ~having:
            missing = KNOWN & ~having
            last = newest(missing).release
            yield setting(name, value, f"{name} does not exist up to KubeVirt {last}; it is ignored there", "", missing)


RULE = Rule(
    id="LM633",
    name="policy-setting-too-new",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A MigrationPolicy has a setting that this KubeVirt release does not have yet.",
    rationale="The API server of an older release drops the field, so what was meant never takes effect.",
    remediation="Remove the field until the cluster runs a release that has it.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.4.1, v1.5.3, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("in its first release", policy("allowWorkloadDisruption: true"), release="1.5"),
        Example(
            "one release early",
            policy("allowWorkloadDisruption: true"),
            violates=("allowWorkloadDisruption",),
            release="1.4",
        ),
        Example("not in 1.8", policy("experimental: {compression: zstd}"), violates=("experimental",), release="1.8"),
    ),
)
