"""A policy without selectors never matches."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._words import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    if facts.selectors is None and not facts.malformed:
        yield Violation(
            (*BASE, "selectors"), "this MigrationPolicy has no selectors: it never matches a VM", "no selectors"
        )


RULE = Rule(
    id="LM634",
    name="policy-without-selectors",
    about=About.POLICY,
    summary="A MigrationPolicy has no selectors.",
    rationale="The API server demands the field, and KubeVirt passes by a policy without it.",
    remediation=(
        "Write selectors with namespaceSelector, virtualMachineInstanceSelector or both: maps of label and value. "
        "Empty ones match every VM."
    ),
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("labels of the VMI", policy("allowPostCopy: true")),
        Example("labels of the namespace", "{selectors: {namespaceSelector: {team: db}}, allowPostCopy: true}"),
        Example("none", "{allowPostCopy: true}", violates=("selectors",)),
    ),
)
