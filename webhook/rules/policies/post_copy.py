"""A MigrationPolicy can allow post-copy. A post-copy migration that fails loses the guest."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, policy, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import MONITOR_SOURCE
from webhook.rules.settings.post_copy import allowed_post_copy


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    yield from allowed_post_copy(BASE, well_typed_settings(facts))


RULE = Rule(
    id="LM641",
    name="policy-allows-post-copy",
    about=About.POLICY,
    severity=Severity.INFO,
    summary="A policy allows post-copy for the VMs that it matches.",
    rationale="During post-copy neither node has all of the guest's memory, so a lost connection kills the guest.",
    remediation="Use the policy only for VMs that tolerate a restart.",
    source=MONITOR_SOURCE,
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", policy("allowPostCopy: false")),
        Example("the setting of the cluster", policy("allowAutoConverge: true")),
        Example("a pause in place of post-copy", policy("allowPostCopy: false, allowWorkloadDisruption: true")),
        Example("post-copy", policy("allowPostCopy: true"), violates=("allowPostCopy",)),
        Example(
            "post-copy, with auto-converge",
            policy("allowAutoConverge: true, allowPostCopy: true"),
            violates=("allowPostCopy",),
        ),
        Example("post-copy in 1.3", policy("allowPostCopy: true"), violates=("allowPostCopy",), release="1.3"),
    ),
)
