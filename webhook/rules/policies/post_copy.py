"""Post-copy by policy: always finishes, or loses the guest."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY
from webhook.rules.policies._policy import policy, setting, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE
from webhook.rules.settings.post_copy import RISK


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    if sound(facts).get(ALLOW_POST_COPY) is True:
        yield setting(ALLOW_POST_COPY, True, RISK)


RULE = Rule(
    id="LM641",
    name="policy-allows-post-copy",
    about=About.POLICY,
    severity=Severity.INFO,
    summary="The VMs of this policy may turn to post-copy.",
    rationale="After the switch to post-copy neither node has all of the guest's memory, so it is lost with the connection.",
    remediation="Keep it for VMs that can bear to be restarted, and select just those.",
    source=MONITOR_SOURCE,
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", policy("allowPostCopy: false")),
        Example("post-copy", policy("allowPostCopy: true"), violates=("allowPostCopy",)),
    ),
)
