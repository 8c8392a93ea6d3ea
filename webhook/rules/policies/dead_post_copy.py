"""Post-copy that may not disrupt the workload never happens, by a policy neither."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, ALLOW_WORKLOAD_DISRUPTION, DISRUPTION_SINCE
from webhook.rules.policies._policy import policy, setting, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, POLICY_GUIDE
from webhook.rules.settings.dead_post_copy import DEAD


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    values = sound(facts)
    if values.get(ALLOW_POST_COPY) is True and values.get(ALLOW_WORKLOAD_DISRUPTION) is False:
        yield setting(ALLOW_WORKLOAD_DISRUPTION, False, DEAD, "", DISRUPTION_SINCE)


RULE = Rule(
    id="LM638",
    name="policy-post-copy-without-disruption",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy allows post-copy, but not what starts it.",
    rationale="A policy's allowPostCopy brings allowWorkloadDisruption along, unless the policy sets that to false.",
    remediation="Remove allowWorkloadDisruption from the policy, or set allowPostCopy to false.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("it follows allowPostCopy", policy("allowPostCopy: true")),
        Example(
            "a dead pair",
            policy("allowPostCopy: true, allowWorkloadDisruption: false"),
            violates=("allowWorkloadDisruption",),
        ),
    ),
)
