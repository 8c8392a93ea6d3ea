"""The API server drops an unknown field of a MigrationPolicy silently."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.policies._policy import BASE, policy
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._setting import POLICY_GUIDE, POLICY_SETTINGS, unknown_name


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        if name not in SETTINGS and name != EXPERIMENTAL:
            yield unknown_name(BASE, name, value, "a MigrationPolicy", POLICY_SETTINGS)


RULE = Rule(
    id="LM646",
    name="unknown-policy-setting",
    about=About.POLICY,
    summary="A field of a MigrationPolicy does not exist in any KubeVirt release.",
    rationale="The API server drops unknown fields, so they have no effect. Names are case-sensitive.",
    remediation="Correct the name, or remove the field.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("two known fields", policy("allowPostCopy: true, maxDowntimeMs: 500")),
        Example("a known field", policy("completionTimeoutPerGiB: 300")),
        Example("a wrong case", policy("completionTimeoutPerGib: 300"), violates=("completionTimeoutPerGib",)),
        Example("a field of experimental at the wrong level", policy("compression: zstd"), violates=("compression",)),
        Example("a missing letter", policy("allowPostcpy: true"), violates=("allowPostcpy",)),
        Example("a field of experimental", policy("experimental: {compression: zstd}")),
    ),
)
