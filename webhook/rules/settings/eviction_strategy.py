"""The cluster's evictionStrategy becomes that of every VM that has none."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

STRATEGIES = ("LiveMigrate", "LiveMigrateIfPossible", "None", "External")


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    value = facts.eviction_strategy
    if value is None or value in STRATEGIES:
        return
    lower = {each.lower(): each for each in STRATEGIES}
    close = close_matches(value.lower(), lower)
    yield Violation(
        ("spec", "configuration", "evictionStrategy"),
        f"evictionStrategy {shown(value)} is none of {', '.join(STRATEGIES)}",
        f"evictionStrategy {shown(value)}",
        f"Did you mean {lower[close[0]]}?" if close else "",
    )


RULE = Rule(
    id="LM625",
    name="unknown-cluster-eviction-strategy",
    about=About.SETTINGS,
    summary="The cluster's evictionStrategy has a value that KubeVirt does not know.",
    rationale="KubeVirt accepts it in the CR, hands it to every VMI without a strategy of its own, and then refuses that VMI.",
    remediation="Write LiveMigrate, LiveMigrateIfPossible, None or External.",
    source=(
        "pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go, "
        "pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go validateLiveMigration, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/compute/node_maintenance/",
    check=check,
    examples=(
        Example("a known value", "{configuration: {evictionStrategy: LiveMigrateIfPossible}}"),
        Example(
            "a wrong case",
            "{configuration: {evictionStrategy: livemigrate}}",
            violates=("configuration.evictionStrategy",),
        ),
    ),
)
