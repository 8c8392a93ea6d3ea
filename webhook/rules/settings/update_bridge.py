"""Updates that travel by migration pass by VMs that cannot migrate."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings.drain_bridge import MASQUERADE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    methods = facts.workload_update_methods
    if "LiveMigrate" in methods and "Evict" not in methods and facts.default_network_interface == "bridge":
        yield Violation(
            ("spec", "workloadUpdateStrategy", "workloadUpdateMethods"),
            "workloadUpdateMethods has LiveMigrate and not Evict, but a VM without interfaces gets bridge on the pod network "
            "and cannot migrate: it keeps its old launcher until somebody restarts it",
            "LiveMigrate with bridge",
        )


RULE = Rule(
    id="LM626",
    name="update-by-migration-with-bridge-default",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Workload updates migrate VMs, but VMs are made non-migratable by default.",
    rationale="The workload updater skips VMs that cannot migrate, so they stay behind at every KubeVirt update.",
    remediation=(
        "Set spec.configuration.network.defaultNetworkInterface to masquerade, or add Evict to workloadUpdateMethods, which "
        "restarts the VMs that cannot migrate."
    ),
    source="pkg/virt-controller/watch/workload-updater/workload-updater.go, v1.9.0 line 421",
    reference="https://kubevirt.io/user-guide/cluster_admin/updating_and_deletion/#updating-kubevirt-workloads",
    check=check,
    examples=(
        Example(
            "masquerade",
            f"{{configuration: {{{MASQUERADE}}}, workloadUpdateStrategy: {{workloadUpdateMethods: [LiveMigrate]}}}}",
        ),
        Example("Evict for the rest", "{workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate, Evict]}}"),
        Example(
            "bridge, which is the default",
            "{workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}}",
            violates=("workloadUpdateStrategy.workloadUpdateMethods",),
        ),
    ),
)
