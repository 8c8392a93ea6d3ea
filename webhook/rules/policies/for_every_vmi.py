"""Empty selectors match every VM."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    if facts.selectors is not None and facts.selectors.weight == 0 and not facts.malformed:
        yield Violation(
            (*BASE, "selectors"),
            "these selectors are empty, so the policy matches every VM that no other policy matches",
            "empty selectors",
        )


RULE = Rule(
    id="LM635",
    name="policy-for-every-vm",
    about=About.POLICY,
    severity=Severity.WARNING,
    summary="A MigrationPolicy matches every VM of the cluster.",
    rationale=(
        "The policy replaces the KubeVirt CR's settings for all VMs. Every other policy that matches a VM has "
        "precedence."
    ),
    remediation="Add labels to the selectors, or move the settings to spec.configuration.migrations of the KubeVirt CR.",
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("some VMs", policy("allowPostCopy: true")),
        Example("the VMs of some namespaces", "{selectors: {namespaceSelector: {team: db}}, allowPostCopy: true}"),
        Example("no selectors, which match nothing", "{allowPostCopy: true}"),
        Example("every VM", "{selectors: {}, allowPostCopy: true}", violates=("selectors",)),
        Example("an empty namespaceSelector", "{selectors: {namespaceSelector: {}}}", violates=("selectors",)),
        Example(
            "two empty selectors",
            "{selectors: {namespaceSelector: {}, virtualMachineInstanceSelector: {}}}",
            violates=("selectors",),
        ),
    ),
)
