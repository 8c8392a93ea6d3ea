"""vmRolloutStrategy LiveUpdate needs a workload updater that migrates VMs."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.releases import KNOWN, Release, before
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

GATE = "VMLiveUpdateFeatures"
GATE_NEEDED = before(Release(1, 5))
PATH = ("spec", "configuration", "vmRolloutStrategy")
_MIGRATES = "workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if facts.vm_rollout_strategy != "LiveUpdate":
        return
    if "LiveMigrate" not in facts.workload_update_methods:
        yield Violation(
            PATH,
            "vmRolloutStrategy is LiveUpdate, but workloadUpdateMethods has no LiveMigrate, so hotplugged CPUs, "
            "memory and interfaces wait for a migration that KubeVirt does not start",
            "LiveUpdate without LiveMigrate",
            releases=KNOWN,
        )
    if facts.releases & GATE_NEEDED and GATE not in facts.feature_gates:
        yield Violation(
            PATH,
            f"vmRolloutStrategy is LiveUpdate, which has no effect in KubeVirt 1.4 and earlier without feature gate {GATE}",
            "LiveUpdate without its gate",
            f"List {GATE} in developerConfiguration.featureGates.",
            GATE_NEEDED,
        )


RULE = Rule(
    id="LM627",
    name="live-update-without-migration",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Changes to running VMs need a migration, but KubeVirt does not start one.",
    rationale=(
        "Hotplugged CPUs, memory and interfaces take effect in a new virt-launcher pod. The workload updater migrates "
        "the VM to such a pod only if spec.workloadUpdateStrategy.workloadUpdateMethods has LiveMigrate."
    ),
    remediation="Add LiveMigrate to spec.workloadUpdateStrategy.workloadUpdateMethods, or set vmRolloutStrategy to Stage.",
    source="pkg/virt-controller/watch/workload-updater/workload-updater.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/vm_rollout_strategies/",
    check=check,
    examples=(
        Example("no strategy", "{configuration: {}}"),
        Example("LiveUpdate with LiveMigrate", f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_MIGRATES}}}"),
        Example("staged", "{configuration: {vmRolloutStrategy: Stage}}"),
        Example(
            "LiveUpdate without LiveMigrate",
            "{configuration: {vmRolloutStrategy: LiveUpdate}}",
            violates=("configuration.vmRolloutStrategy",),
        ),
        Example(
            "LiveUpdate with Evict only",
            "{configuration: {vmRolloutStrategy: LiveUpdate}, workloadUpdateStrategy: {workloadUpdateMethods: [Evict]}}",
            violates=("configuration.vmRolloutStrategy",),
        ),
        Example(
            "no gate in 1.4",
            f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_MIGRATES}}}",
            violates=("configuration.vmRolloutStrategy",),
            release="1.4",
        ),
    ),
)
