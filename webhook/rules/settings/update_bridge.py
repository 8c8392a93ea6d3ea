"""The workload updater skips VMs that cannot migrate."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings.drain_bridge import MASQUERADE


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    methods = facts.workload_update_methods
    if "LiveMigrate" in methods and "Evict" not in methods and facts.default_network_interface == "bridge":
        yield Violation(
            ("spec", "workloadUpdateStrategy", "workloadUpdateMethods"),
            "workloadUpdateMethods has LiveMigrate but not Evict. VMs with the default bridge interface cannot be "
            "live-migrated, so they keep their old virt-launcher until they restart",
            "LiveMigrate with bridge",
        )


RULE = Rule(
    id="LM626",
    name="update-by-migration-with-bridge-default",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Workload updates migrate VMs, but the default interface keeps VMs from migrating.",
    rationale="The workload updater skips VMs that cannot migrate, so they keep the old virt-launcher after a KubeVirt update.",
    remediation=(
        "Set spec.configuration.network.defaultNetworkInterface to masquerade, or add Evict to workloadUpdateMethods to restart "
        "the VMs that cannot migrate."
    ),
    source="pkg/virt-controller/watch/workload-updater/workload-updater.go, v1.9.0 line 421",
    reference="https://kubevirt.io/user-guide/cluster_admin/updating_and_deletion/#updating-kubevirt-workloads",
    check=check,
    examples=(
        Example(
            "masquerade",
            f"{{configuration: {{{MASQUERADE}}}, workloadUpdateStrategy: {{workloadUpdateMethods: [LiveMigrate]}}}}",
        ),
        Example(
            "Evict for VMs that cannot migrate",
            "{workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate, Evict]}}",
        ),
        Example("no workload updates", "{configuration: {}}"),
        Example(
            "bridge, the default",
            "{workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}}",
            violates=("workloadUpdateStrategy.workloadUpdateMethods",),
        ),
        Example(
            "bridge as written",
            "{configuration: {network: {defaultNetworkInterface: bridge}}, "
            "workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}}",
            violates=("workloadUpdateStrategy.workloadUpdateMethods",),
        ),
        Example(
            "bridge in 1.3",
            "{configuration: {network: {}}, workloadUpdateStrategy: {workloadUpdateMethods: [LiveMigrate]}}",
            violates=("workloadUpdateStrategy.workloadUpdateMethods",),
            release="1.3",
        ),
    ),
)
