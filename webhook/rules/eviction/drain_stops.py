"""LiveMigrateIfPossible on a VM that cannot migrate means: a drain stops it."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, NOT_MIGRATABLE, where
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "LiveMigrateIfPossible" and facts.migratable is False:
        yield Violation(
            where(facts),
            "evictionStrategy is LiveMigrateIfPossible, and the VM cannot be live-migrated: draining its node will stop it",
            "evictionStrategy",
        )


RULE = Rule(
    id="LM504",
    name="drain-stops-the-vm",
    about=About.DRAIN,
    severity=Severity.INFO,
    summary="A drain will stop the VM.",
    rationale="The pod of a VM that cannot migrate is evicted like any other.",
    remediation="Remove what keeps the VM from migrating, if it should survive a drain.",
    source="pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("a VM that can migrate", f"{{evictionStrategy: LiveMigrateIfPossible, {MIGRATABLE}}}"),
        Example(
            "a VM that cannot",
            f"{{evictionStrategy: LiveMigrateIfPossible, {NOT_MIGRATABLE}}}",
            violates=("evictionStrategy",),
        ),
    ),
)
