"""With evictionStrategy LiveMigrate, the drain of the only node never ends."""

from collections.abc import Iterator

from webhook.facts.target import TargetFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.known_nodes import known_to_run_vms
from webhook.rules.eviction._eviction import EVICTION_GUIDE, MIGRATABLE, NOT_MIGRATABLE, strategy_path
from webhook.rules.example import kubevirt, node
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: TargetFacts) -> Iterator[Outcome]:
    if isinstance(facts.nodes, Unknown):
        return
    nodes, drain = known_to_run_vms(facts.nodes), facts.drain
    evacuates = drain.strategy in {"LiveMigrate", "LiveMigrateIfPossible"} and drain.migratable
    if len(nodes) == 1 and evacuates and facts.replicas:
        message = (
            f"evictionStrategy is {drain.strategy}, but {nodes[0].name!r} is the only known node that runs VMs, so its drain "
            "never ends"
        )
        yield Violation(strategy_path(drain), message, "one node")


_LIVE = f"{{evictionStrategy: LiveMigrate, {MIGRATABLE}}}"
_ONE = (node("n1"),)
_READY = {"kubevirt.io/schedulable": "true", "host-model-cpu.node.kubevirt.io/Haswell": "true"}
_AT = ("evictionStrategy",)
RULE = Rule(
    id="LM515",
    name="live-migrate-on-one-node",
    about=About.TARGET,
    severity=Severity.WARNING,
    summary="A node drain must migrate the VM, but no other node runs VMs.",
    rationale=(
        "KubeVirt answers the eviction with status 429 and creates a migration. Its target pod finds no node, the migration "
        "fails after five minutes, and KubeVirt tries again. The drain waits until the VM is stopped manually."
    ),
    remediation="Add a node, or write `evictionStrategy: None` so that a node drain stops the VM.",
    source=(
        "pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go and "
        "pkg/virt-controller/watch/drain/evacuation/evacuation.go, v1.9.0"
    ),
    reference=EVICTION_GUIDE,
    check=check,
    examples=(
        Example("two nodes", _LIVE, world=(node("n1"), node("n2"))),
        Example("no known node", _LIVE),
        Example("None", f"{{evictionStrategy: None, {MIGRATABLE}}}", world=_ONE),
        Example("External", f"{{evictionStrategy: External, {MIGRATABLE}}}", world=_ONE),
        Example("a VM that LM501 reports", f"{{evictionStrategy: LiveMigrate, {NOT_MIGRATABLE}}}", world=_ONE),
        Example("a VM that is stopped", _LIVE, vm_spec="{runStrategy: Halted}", world=_ONE),
        Example("LiveMigrate and one node", _LIVE, world=_ONE, violates=_AT),
        Example(
            "LiveMigrateIfPossible and one node",
            f"{{evictionStrategy: LiveMigrateIfPossible, {MIGRATABLE}}}",
            world=_ONE,
            violates=_AT,
        ),
        Example(
            "LiveMigrate in the KubeVirt CR",
            f"{{{MIGRATABLE}}}",
            vm_spec="{runStrategy: Always}",
            world=(*_ONE, kubevirt(evictionStrategy="LiveMigrate")),
            violates=("spec.template.spec",),
        ),
        Example(
            "one of two nodes runs VMs",
            _LIVE,
            world=(node("n1", **_READY), node("n2")),
            violates=_AT,
        ),
    ),
)
