"""evictionStrategy LiveMigrate blocks the drain of a node if the VM cannot be live-migrated."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, HOST_DISK, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.example import kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "LiveMigrate" and facts.migratable is False:
        yield Violation(
            strategy_path(facts),
            "evictionStrategy is LiveMigrate, but the VM cannot be live-migrated, so a node drain hangs",
            "evictionStrategy",
        )


RULE = Rule(
    id="LM501",
    name="drain-blocked",
    about=About.DRAIN,
    severity=Severity.WARNING,
    summary="A node drain must migrate the VM, but the VM cannot be live-migrated.",
    rationale=(
        "KubeVirt admits this combination. A node drain then requests a migration, which KubeVirt refuses. The "
        "eviction fails with status 429 until the VM is stopped manually."
    ),
    remediation=(
        "Correct what prevents the live migration, or write `evictionStrategy: LiveMigrateIfPossible` so that a node "
        "drain stops the VM."
    ),
    source="pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("a VM that can be live-migrated", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example("LiveMigrateIfPossible", f"{{evictionStrategy: LiveMigrateIfPossible, {NOT_MIGRATABLE}}}"),
        Example("no evictionStrategy in the VM or in the cluster", f"{{{NOT_MIGRATABLE}}}", world=(kubevirt(),)),
        Example(
            "a VM with bridge binding on the pod network",
            f"{{evictionStrategy: LiveMigrate, {NOT_MIGRATABLE}}}",
            violates=("evictionStrategy",),
        ),
        Example(
            "a VM with a hostDisk", f"{{evictionStrategy: LiveMigrate, {HOST_DISK}}}", violates=("evictionStrategy",)
        ),
        Example(
            "a VM with two GPUs",
            "{domain: {devices: {gpus: [{name: g, deviceName: nvidia.com/A10}, {name: h, deviceName: nvidia.com/A10}]}}, "
            "evictionStrategy: LiveMigrate}",
            violates=("evictionStrategy",),
        ),
    ),
)
