"""The API server or KubeVirt refuses some values of a MigrationPolicy."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT
from webhook.rules.policies._policy import ADMITTER, BASE, policy, setting, well_typed_settings
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._bandwidth import refused_bandwidth
from webhook.rules.settings._setting import POLICY_GUIDE, POLICY_SETTINGS, wrong_type
from webhook.rules.settings.range import out_of_range


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        if name in POLICY_SETTINGS:
            yield from wrong_type(BASE, POLICY_SETTINGS[name], value)
    for path, problem, remedy in facts.malformed:
        yield Violation(path, problem, problem, remedy)
    values = {name: value for name, value in well_typed_settings(facts).items() if name in POLICY_SETTINGS}
    yield from refused_bandwidth(BASE, values)
    yield from out_of_range(BASE, values)
    if values.get(COMPLETION_TIMEOUT, 0) < 0:
        yield setting(
            COMPLETION_TIMEOUT,
            values[COMPLETION_TIMEOUT],
            f"{COMPLETION_TIMEOUT} is negative, so KubeVirt refuses the policy",
        )


RULE = Rule(
    id="LM631",
    name="bad-policy-setting",
    about=About.POLICY,
    summary="A field of a MigrationPolicy has the wrong type, is not a quantity, or is out of range.",
    rationale="The API server or KubeVirt's admission refuses the policy, so none of its settings has an effect.",
    remediation=(
        "Write true or false, a quantity such as 64Mi, or a whole number of seconds. Write selectors as maps from label to value."
    ),
    source=ADMITTER,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example(
            "valid settings", policy("allowPostCopy: true, bandwidthPerMigration: 64Mi, completionTimeoutPerGiB: 300")
        ),
        Example("labels of the VMI", policy("allowPostCopy: false")),
        Example("no limit", policy("bandwidthPerMigration: 0")),
        Example("a quoted true", policy('allowPostCopy: "true"'), violates=("allowPostCopy",)),
        Example("an unknown unit", policy("bandwidthPerMigration: 64MB"), violates=("bandwidthPerMigration",)),
        Example("a negative bandwidth", policy("bandwidthPerMigration: -64Mi"), violates=("bandwidthPerMigration",)),
        Example("a negative timeout", policy("completionTimeoutPerGiB: -1"), violates=("completionTimeoutPerGiB",)),
        Example(
            "matchLabels, as in other objects",
            "{selectors: {namespaceSelector: {matchLabels: {team: db}}}}",
            violates=("selectors.namespaceSelector.matchLabels",),
        ),
    ),
)
