"""evictionStrategy has four values."""

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
    lower = {each.lower(): each for each in STRATEGIES}
    close = close_matches(value.lower(), lower)
    yield Violation(
        (*facts.base, "evictionStrategy"),
        f"evictionStrategy {value!a} is none of {', '.join(STRATEGIES)}",
        f"evictionStrategy {value}",
        f"Did you mean {lower[close[0]]}?" if close else "",
    )


RULE = Rule(
    id="LM502",
    name="unknown-eviction-strategy",
    about=About.DRAIN,
    summary="evictionStrategy has a value that KubeVirt does not know.",
    rationale="KubeVirt refuses the object. Values are compared letter by letter, also by case.",
    remediation="Write LiveMigrate, LiveMigrateIfPossible, None or External.",
    source="pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go validateLiveMigration, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("a known value", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example("a wrong case", f"{{evictionStrategy: livemigrate, {MIGRATABLE}}}", violates=("evictionStrategy",)),
    ),
)
