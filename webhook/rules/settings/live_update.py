"""Changing running VMs needs migrations that somebody starts."""

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
            "vmRolloutStrategy is LiveUpdate, but workloadUpdateMethods has no LiveMigrate: changed CPUs, memory and "
            "interfaces of running VMs wait for a migration that nobody starts",
            "LiveUpdate without LiveMigrate",
            releases=KNOWN,
        )
    if facts.releases & GATE_NEEDED and GATE not in facts.feature_gates:
        yield Violation(
            PATH,
            f"vmRolloutStrategy is LiveUpdate, which up to 1.4 does nothing without feature gate {GATE}",
            "LiveUpdate without its gate",
            f"List {GATE} in developerConfiguration.featureGates.",
            GATE_NEEDED,
        )


RULE = Rule(
    id="LM627",
    name="live-update-without-migration",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="VMs are to be changed while they run, but nothing migrates them.",
    rationale=(
        "Hotplugged CPUs, memory and interfaces take effect when the VM's launcher is replaced. The workload updater does that "
        "by migration, and only where spec.workloadUpdateStrategy.workloadUpdateMethods has LiveMigrate."
    ),
    remediation="Add LiveMigrate to spec.workloadUpdateStrategy.workloadUpdateMethods, or write vmRolloutStrategy: Stage.",
    source="pkg/virt-controller/watch/workload-updater/workload-updater.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/user_workloads/vm_rollout_strategies/",
    check=check,
    examples=(
        Example("both", f"{{configuration: {{vmRolloutStrategy: LiveUpdate}}, {_MIGRATES}}}"),
        Example("staged", "{configuration: {vmRolloutStrategy: Stage}}"),
        Example(
            "nothing migrates",
            "{configuration: {vmRolloutStrategy: LiveUpdate}}",
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
