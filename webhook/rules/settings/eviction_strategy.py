"""KubeVirt copies the cluster's evictionStrategy to every VMI without one, and then refuses an unknown value."""

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
    lower = {strategy.lower(): strategy for strategy in STRATEGIES}
    close = close_matches(value.lower(), lower)
    yield Violation(
        ("spec", "configuration", "evictionStrategy"),
        f"evictionStrategy {shown(value)} is unknown; KubeVirt supports {', '.join(STRATEGIES)}",
        f"evictionStrategy {shown(value)}",
        f"Did you mean {lower[close[0]]}?" if close else "",
    )


RULE = Rule(
    id="LM625",
    name="unknown-cluster-eviction-strategy",
    about=About.SETTINGS,
    summary="The cluster's evictionStrategy has an unknown value.",
    rationale="KubeVirt accepts the value in the CR, copies it to every VMI without its own strategy, and then refuses the VMI.",
    remediation="Write LiveMigrate, LiveMigrateIfPossible, None or External.",
    source=(
        "pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go, "
        "pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go validateLiveMigration, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/cluster_admin/node_maintenance/",
    check=check,
    examples=(
        Example("a known value", "{configuration: {evictionStrategy: LiveMigrateIfPossible}}"),
        Example("no strategy", "{configuration: {}}"),
        Example("None", "{configuration: {evictionStrategy: 'None'}}"),
        Example(
            "a wrong case",
            "{configuration: {evictionStrategy: livemigrate}}",
            violates=("configuration.evictionStrategy",),
        ),
        Example(
            "a misspelt value",
            "{configuration: {evictionStrategy: LiveMigration}}",
            violates=("configuration.evictionStrategy",),
        ),
        Example(
            "an empty value",
            "{configuration: {evictionStrategy: ''}}",
            violates=("configuration.evictionStrategy",),
        ),
    ),
)
