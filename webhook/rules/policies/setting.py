"""A field of a MigrationPolicy that the API server or KubeVirt refuses."""

from collections.abc import Iterator

from webhook.facts.policy import PolicyFacts
from webhook.kubevirt.settings.settings import BANDWIDTH, COMPLETION_TIMEOUT, SETTINGS, well_typed
from webhook.objects.shown import shown
from webhook.rules.policies._policy import ADMITTER, policy, setting, sound
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._bandwidth import quantity_problem
from webhook.rules.settings._words import POLICY_GUIDE
from webhook.rules.settings.range import out_of_range


def check(facts: PolicyFacts) -> Iterator[Outcome]:
    for name, value in facts.settings.items():
        known = SETTINGS.get(name)
        if known is not None and known.policy and not well_typed(known, value):
            yield setting(name, value, f"{name} is {shown(value)}, expected {known.type.value}")
    for path, problem in facts.malformed:
        yield Violation(path, problem, problem)
    values = {name: value for name, value in sound(facts).items() if SETTINGS[name].policy}
    if (message := quantity_problem(values)) is not None:
        yield setting(BANDWIDTH, values[BANDWIDTH], message)
    for name, problem in out_of_range(values):
        yield setting(name, values[name], problem)
    if values.get(COMPLETION_TIMEOUT, 0) < 0:
        yield setting(
            COMPLETION_TIMEOUT,
            values[COMPLETION_TIMEOUT],
            f"{COMPLETION_TIMEOUT} is negative; KubeVirt refuses the policy",
        )


RULE = Rule(
    id="LM631",
    name="bad-policy-setting",
    about=About.POLICY,
    summary="A field of a MigrationPolicy has the wrong type, is no quantity, or is out of range.",
    rationale="The API server or KubeVirt's own admission refuses the policy, and with it all of its settings.",
    remediation=(
        "Write true or false, a quantity such as 64Mi, or a whole number of seconds; selectors are plain maps of label and value."
    ),
    source=ADMITTER,
    reference=POLICY_GUIDE,
    check=check,
    examples=(
        Example(
            "sound settings", policy("allowPostCopy: true, bandwidthPerMigration: 64Mi, completionTimeoutPerGiB: 300")
        ),
        Example("a quoted true", policy('allowPostCopy: "true"'), violates=("allowPostCopy",)),
        Example("no quantity", policy("bandwidthPerMigration: 64MB"), violates=("bandwidthPerMigration",)),
        Example("negative bandwidth", policy("bandwidthPerMigration: -64Mi"), violates=("bandwidthPerMigration",)),
        Example("a negative timeout", policy("completionTimeoutPerGiB: -1"), violates=("completionTimeoutPerGiB",)),
        Example(
            "selectors as other objects have them",
            "{selectors: {namespaceSelector: {matchLabels: {team: db}}}}",
            violates=("selectors.namespaceSelector.matchLabels",),
        ),
    ),
)
