"""A policy must allow workload disruption for post-copy to start."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, policy, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import MONITOR_SOURCE, POLICY_GUIDE
from webhook.rules.settings.dead_post_copy import post_copy_that_never_starts


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    yield from post_copy_that_never_starts(BASE, well_typed_settings(facts))


RULE = Rule(
    id="LM638",
    name="policy-post-copy-without-disruption",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy allows post-copy, but not the workload disruption that it needs.",
    rationale="In a policy, allowWorkloadDisruption follows allowPostCopy unless the policy sets it to false.",
    remediation="Remove allowWorkloadDisruption from the policy, or set allowPostCopy to false.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("the default", policy("allowPostCopy: true")),
        Example("both", policy("allowPostCopy: true, allowWorkloadDisruption: true")),
        Example("neither", policy("allowPostCopy: false, allowWorkloadDisruption: false")),
        Example("before 1.5", policy("allowPostCopy: true, allowWorkloadDisruption: false"), release="1.4"),
        Example(
            "post-copy without disruption",
            policy("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=("allowWorkloadDisruption",),
        ),
        Example(
            "post-copy without disruption in 1.5",
            policy("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=("allowWorkloadDisruption",),
            release="1.5",
        ),
        Example(
            "post-copy without disruption, with auto-converge",
            policy("allowAutoConverge: true, allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=("allowWorkloadDisruption",),
        ),
    ),
)
