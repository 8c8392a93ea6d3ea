"""evictionStrategy LiveMigrateIfPossible lets a node drain stop a VM that cannot be live-migrated."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, HOST_DISK, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "LiveMigrateIfPossible" and facts.migratable is False:
        yield Violation(
            strategy_path(facts),
            "evictionStrategy is LiveMigrateIfPossible, but the VM cannot be live-migrated, so a node drain stops it"
            + (f". {facts.afterwards}" if facts.afterwards else ""),
            "evictionStrategy",
        )


RULE = Rule(
    id="LM504",
    name="drain-stops-the-vm",
    about=About.DRAIN,
    severity=Severity.INFO,
    summary="A node drain stops the VM.",
    rationale=(
        "The pod of a VM that cannot be live-migrated is evicted like any other pod, and the guest gets time to shut down. The "
        "runStrategy decides whether KubeVirt starts the VM again."
    ),
    remediation="Correct what prevents the live migration, if the VM must keep running during a node drain.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, "
        "pkg/virt-controller/watch/vm/vm.go syncRunStrategy, v1.9.0"
    ),
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("a VM that can be live-migrated", f"{{evictionStrategy: LiveMigrateIfPossible, {MIGRATABLE}}}"),
        Example("LiveMigrate, which LM501 reports", f"{{evictionStrategy: LiveMigrate, {NOT_MIGRATABLE}}}"),
        Example("None", f"{{evictionStrategy: None, {NOT_MIGRATABLE}}}"),
        Example(
            "a VM with bridge binding on the pod network",
            f"{{evictionStrategy: LiveMigrateIfPossible, {NOT_MIGRATABLE}}}",
            violates=("evictionStrategy",),
        ),
        Example(
            "a VM with a hostDisk",
            f"{{evictionStrategy: LiveMigrateIfPossible, {HOST_DISK}}}",
            violates=("evictionStrategy",),
        ),
        Example(
            "a VM with two GPUs",
            "{domain: {devices: {gpus: [{name: g, deviceName: nvidia.com/A10}, {name: h, deviceName: nvidia.com/A10}]}}, "
            "evictionStrategy: LiveMigrateIfPossible}",
            violates=("evictionStrategy",),
        ),
    ),
)
