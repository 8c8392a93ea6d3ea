"""A field that a MigrationPolicy does not have is dropped without a word."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.settings.policies import EXPERIMENTAL
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.objects.shown import shown
from webhook.rules.policies._policy import policy, setting
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    lower = {name.lower(): name for name, known in SETTINGS.items() if known.policy}
    for name, value in facts.settings.items():
        if name not in SETTINGS and name != EXPERIMENTAL:
            close = close_matches(name.lower(), lower)
            remedy = f"Did you mean {lower[close[0]]}?" if close else ""
            yield setting(name, value, f"a MigrationPolicy has no field {shown(name)}; KubeVirt ignores it", remedy)


RULE = Rule(
    id="LM646",
    name="unknown-policy-setting",
    about=About.POLICY,
    summary="A MigrationPolicy has a field that no KubeVirt release has.",
    rationale="The API server drops unknown fields, so what was meant never takes effect; names are compared letter by letter.",
    remediation="Correct the name, or remove the field.",
    source="staging/src/kubevirt.io/api/migrations/v1alpha1/types.go MigrationPolicySpec, v1.9.0",
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a known field", policy("completionTimeoutPerGiB: 300")),
        Example("a wrong case", policy("completionTimeoutPerGib: 300"), violates=("completionTimeoutPerGib",)),
        Example("a field that stands in experimental", policy("compression: zstd"), violates=("compression",)),
        Example("that field in its place", policy("experimental: {compression: zstd}")),
    ),
)
