"""A policy's completion timeout of 0 disables the timeout."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT
from webhook.rules.policies._policy import BASE, policy, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import MONITOR_SOURCE, POLICY_GUIDE
from webhook.rules.settings.never_gives_up import disabled_timeouts


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    yield from disabled_timeouts(BASE, well_typed_settings(facts), (COMPLETION_TIMEOUT,))


RULE = Rule(
    id="LM640",
    name="policy-never-gives-up",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy's completion timeout is 0, so a migration might never end.",
    rationale=(
        "The value 0 disables this timeout. The value also disables post-copy and pausing, which start at the "
        "completion timeout."
    ),
    remediation="Write seconds per GB, such as 300.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("a timeout", policy("completionTimeoutPerGiB: 300")),
        Example("the timeout of the cluster", policy("allowAutoConverge: true")),
        Example("one second", policy("completionTimeoutPerGiB: 1")),
        Example("no timeout", policy("completionTimeoutPerGiB: 0"), violates=("completionTimeoutPerGiB",)),
        Example(
            "no timeout, with post-copy",
            policy("allowPostCopy: true, completionTimeoutPerGiB: 0"),
            violates=("completionTimeoutPerGiB",),
        ),
        Example(
            "no timeout in 1.3",
            policy("completionTimeoutPerGiB: 0"),
            violates=("completionTimeoutPerGiB",),
            release="1.3",
        ),
    ),
)
