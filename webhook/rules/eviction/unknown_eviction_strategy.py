"""The field evictionStrategy has four valid values."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

STRATEGIES = ("LiveMigrate", "LiveMigrateIfPossible", "None", "External")


def check(facts: DrainFacts) -> Iterator[Outcome]:
    value = facts.strategy
    if not facts.written or not isinstance(value, str) or value in STRATEGIES:
        return
    lower = {strategy.lower(): strategy for strategy in STRATEGIES}
    close = close_matches(value.lower(), lower)
    yield Violation(
        (*facts.base, "evictionStrategy"),
        f"evictionStrategy {value!a} is not one of {', '.join(STRATEGIES)}",
        f"evictionStrategy {value}",
        f"Write {lower[close[0]]}." if close else "",
    )


RULE = Rule(
    id="LM502",
    name="unknown-eviction-strategy",
    about=About.DRAIN,
    summary="evictionStrategy has a value that KubeVirt does not know.",
    rationale="KubeVirt rejects the object. Values are case-sensitive.",
    remediation="Write LiveMigrate, LiveMigrateIfPossible, None or External.",
    source="pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go validateLiveMigration, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("LiveMigrate", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example("None", f"{{evictionStrategy: None, {MIGRATABLE}}}"),
        Example("no evictionStrategy", f"{{{MIGRATABLE}}}"),
        Example("lower case", f"{{evictionStrategy: livemigrate, {MIGRATABLE}}}", violates=("evictionStrategy",)),
        Example("a typing error", f"{{evictionStrategy: LiveMigrat, {MIGRATABLE}}}", violates=("evictionStrategy",)),
        Example("another word", f"{{evictionStrategy: Restart, {MIGRATABLE}}}", violates=("evictionStrategy",)),
    ),
)
