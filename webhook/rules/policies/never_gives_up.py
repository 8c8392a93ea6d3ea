"""A policy's completion timeout of 0 is none."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT
from webhook.rules.policies._policy import policy, setting, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, POLICY_GUIDE
from webhook.rules.settings.never_gives_up import unending


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, message in unending(sound(facts)):
        if name == COMPLETION_TIMEOUT:
            yield setting(name, 0, message)


RULE = Rule(
    id="LM640",
    name="policy-never-gives-up",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A policy's completion timeout is 0, so migrations may go on for ever.",
    rationale="A value of 0 turns the check off. It also turns off post-copy and pausing, which wait for the completion timeout.",
    remediation="Write seconds for each GB, such as 300.",
    source=MONITOR_SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("with an end", policy("completionTimeoutPerGiB: 300")),
        Example("without an end", policy("completionTimeoutPerGiB: 0"), violates=("completionTimeoutPerGiB",)),
    ),
)
