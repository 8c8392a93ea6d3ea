"""vmRolloutStrategy LiveUpdate needs a workload updater that migrates VMs."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.releases import KNOWN
from webhook.kubevirt.settings.live_update import GATE, GATE_NEEDED, LIVE_UPDATE, LIVE_UPDATE_BY_DEFAULT
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings.unknown_update_method import EVICT, MIGRATE

PATH = ("spec", "configuration", "vmRolloutStrategy")
STRATEGY_PATH = ("spec", "workloadUpdateStrategy")
_MIGRATES = "workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}"
_EVICTS = "workloadUpdateStrategy: {workloadUpdateMethods: [Evict]}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    strategy = facts.vm_rollout_strategy
    if strategy and strategy != LIVE_UPDATE:
        return
    releases = KNOWN if strategy else LIVE_UPDATE_BY_DEFAULT
    if facts.releases & releases and MIGRATE not in facts.workload_update_methods:
        yield Violation(
            PATH if strategy else STRATEGY_PATH,
            ("vmRolloutStrategy is LiveUpdate" if strategy else "vmRolloutStrategy is LiveUpdate (KubeVirt's default)")
            + _consequence(facts.workload_update_methods),
            "LiveUpdate without LiveMigrate",
            releases=releases,
        )
    if strategy and facts.releases & GATE_NEEDED and GATE not in facts.feature_gates:
        yield Violation(
            PATH,
            f"vmRolloutStrategy is LiveUpdate, which has no effect in KubeVirt 1.4 and earlier without feature gate {GATE}",
            "LiveUpdate without its gate",
            f"List {GATE} in developerConfiguration.featureGates.",
            GATE_NEEDED,
        )


def _consequence(methods: tuple[str, ...]) -> str:
    if EVICT in methods:
        return (
            ", but workloadUpdateMethods has only Evict. To hotplug CPUs, memory or interfaces, KubeVirt evicts the VM's pod. "
            "The eviction stops the VM, unless its evictionStrategy requests a migration"
        )
    return (
        ", but workloadUpdateMethods has no LiveMigrate. Hotplugged CPUs, memory and interfaces wait for a migration that "
        "KubeVirt does not start. After an update of KubeVirt, VMs keep their old virt-launcher until they restart"
    )


RULE = Rule(
    id="LM627",
    name="live-update-without-migration",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Changes to running VMs need a migration, but KubeVirt does not start one.",
    rationale=(
        "Hotplugged CPUs, memory and interfaces take effect in a new virt-launcher pod. The workload updater "
        "migrates the VM to such a pod only if spec.workloadUpdateStrategy.workloadUpdateMethods has LiveMigrate. "
        "With Evict only, the workload updater evicts the pod. LiveUpdate is the default from KubeVirt 1.6 on. In "
        "every release, workloadUpdateMethods is empty by default."
    ),
    remediation="Add LiveMigrate to spec.workloadUpdateStrategy.workloadUpdateMethods, or set vmRolloutStrategy to Stage.",
    source=(
        "pkg/virt-controller/watch/workload-updater/workload-updater.go getUpdateData, "
        "pkg/virt-config/virt-config.go DefaultVMRolloutStrategy, v1.3.1 to v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/user_workloads/vm_rollout_strategies/",
    check=check,
    examples=(
        Example("no strategy and no methods in 1.5, where Stage is the default", "{configuration: {}}", release="1.5"),
        Example("no strategy, with LiveMigrate", f"{{{_MIGRATES}}}"),
        Example("LiveUpdate with LiveMigrate", f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_MIGRATES}}}"),
        Example("staged", "{configuration: {vmRolloutStrategy: Stage}}"),
        Example(
            "LiveUpdate without LiveMigrate",
            "{configuration: {vmRolloutStrategy: LiveUpdate}}",
            violates=("configuration.vmRolloutStrategy",),
        ),
        Example(
            "LiveUpdate with Evict only",
            f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_EVICTS}}}",
            violates=("configuration.vmRolloutStrategy",),
        ),
        Example(
            "no strategy and no methods in 1.6",
            "{configuration: {}, workloadUpdateStrategy: {}}",
            violates=("workloadUpdateStrategy",),
            release="1.6",
        ),
        Example(
            "no strategy, with Evict only",
            f"{{{_EVICTS}}}",
            violates=("workloadUpdateStrategy",),
        ),
        Example(
            "no gate in 1.4",
            f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_MIGRATES}}}",
            violates=("configuration.vmRolloutStrategy",),
            release="1.4",
        ),
    ),
)
