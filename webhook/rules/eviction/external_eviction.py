"""With evictionStrategy External, KubeVirt leaves the eviction of a VM to another controller."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, HOST_DISK, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "External" and not facts.controller:
        yield Violation(
            strategy_path(facts),
            "evictionStrategy is External, so KubeVirt does not live-migrate the VM and a node drain waits for another "
            "controller",
            "evictionStrategy",
        )


RULE = Rule(
    id="LM503",
    name="external-eviction",
    about=About.DRAIN,
    severity=Severity.INFO,
    summary="KubeVirt does not move the VM when its node is drained.",
    rationale=(
        "With External, KubeVirt blocks the eviction and sets evacuationNodeName in the VMI's status. Another "
        "controller must act on this field. Cluster API's provider for KubeVirt acts on its own VMs, so this rule "
        "does not report VMs with its labels."
    ),
    remediation="Write `evictionStrategy: LiveMigrate`, unless another controller acts on evacuationNodeName.",
    source="pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("LiveMigrate", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example("LiveMigrateIfPossible", f"{{evictionStrategy: LiveMigrateIfPossible, {MIGRATABLE}}}"),
        Example("None", f"{{evictionStrategy: None, {MIGRATABLE}}}"),
        Example("External", f"{{evictionStrategy: External, {MIGRATABLE}}}", violates=("evictionStrategy",)),
        Example(
            "External and bridge binding on the pod network",
            f"{{evictionStrategy: External, {NOT_MIGRATABLE}}}",
            violates=("evictionStrategy",),
        ),
        Example(
            "External and a hostDisk", f"{{evictionStrategy: External, {HOST_DISK}}}", violates=("evictionStrategy",)
        ),
    ),
)
