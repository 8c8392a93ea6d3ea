"""A policy without selectors matches no VM."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.rules.policies._policy import BASE, SOURCE, policy
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import POLICY_GUIDE


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    if facts.selectors is None and not facts.malformed:
        yield Violation(
            (*BASE, "selectors"), "this MigrationPolicy has no selectors, so it matches no VM", "no selectors"
        )


RULE = Rule(
    id="LM634",
    name="policy-without-selectors",
    about=About.POLICY,
    summary="A MigrationPolicy has no selectors.",
    rationale="The API server requires the field, and KubeVirt ignores a policy without it.",
    remediation=(
        "Add selectors with namespaceSelector, virtualMachineInstanceSelector or both, as maps from label to value. "
        "Empty selectors match every VM."
    ),
    source=SOURCE,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example("labels of the VMI", policy("allowPostCopy: true")),
        Example("labels of the namespace", "{selectors: {namespaceSelector: {team: db}}, allowPostCopy: true}"),
        Example("empty selectors, which match every VM", "{selectors: {}, allowPostCopy: true}"),
        Example("no selectors", "{allowPostCopy: true}", violates=("selectors",)),
        Example("null", "{selectors: null, allowPostCopy: true}", violates=("selectors",)),
        Example("an empty policy", "{}", violates=("selectors",)),
    ),
)
