"""External means that KubeVirt leaves the VM to somebody else."""

from collections.abc import Iterator

from webhook.facts.drain import DrainFacts
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, where
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: DrainFacts) -> Iterator[Outcome]:
    if facts.strategy == "External":
        yield Violation(
            where(facts),
            "evictionStrategy is External: KubeVirt never moves this VM, a drain waits until something else does",
            "evictionStrategy",
        )


RULE = Rule(
    id="LM503",
    name="external-eviction",
    about=About.DRAIN,
    severity=Severity.INFO,
    summary="KubeVirt will not move the VM when its node is drained.",
    rationale="With External, KubeVirt blocks the eviction and notes it in the VMI's status for another controller to act.",
    remediation="Write LiveMigrate, unless another controller watches evacuationNodeName and acts.",
    source="pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("LiveMigrate", f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"),
        Example("External", f"{{evictionStrategy: External, {MIGRATABLE}}}", violates=("evictionStrategy",)),
    ),
)
