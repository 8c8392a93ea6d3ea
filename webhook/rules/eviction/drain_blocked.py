"""evictionStrategy LiveMigrate promises what a VM that cannot migrate does not keep."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, NOT_MIGRATABLE, where
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "LiveMigrate" and facts.migratable is False:
        yield Violation(
            where(facts),
            "evictionStrategy is LiveMigrate, and the VM cannot be live-migrated: draining its node will hang",
            "evictionStrategy",
        )


RULE = Rule(
    id="LM501",
    name="drain-blocked",
    about=About.DRAIN,
    severity=Severity.WARNING,
    summary="The VM must be migrated away by a drain and cannot be.",
    rationale=(
        "KubeVirt admits this combination. A drain then asks for a migration that is refused, and the eviction is answered "
        "with 429 until somebody stops the VM by hand."
    ),
    remediation=(
        "Remove what keeps the VM from migrating, or write `evictionStrategy: LiveMigrateIfPossible` (a drain then stops it)."
    ),
    source="pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("a VM that can migrate", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example(
            "a VM that cannot",
            f"{{evictionStrategy: LiveMigrate, {NOT_MIGRATABLE}}}",
            violates=("evictionStrategy",),
        ),
    ),
)
