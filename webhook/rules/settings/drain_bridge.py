"""evictionStrategy LiveMigrate needs VMs that can migrate. The default bridge interface prevents the migration."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

MASQUERADE = "network: {defaultNetworkInterface: masquerade}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if facts.eviction_strategy == "LiveMigrate" and facts.default_network_interface == "bridge":
        yield Violation(
            ("spec", "configuration", "evictionStrategy"),
            "evictionStrategy is LiveMigrate, but a VM with the default bridge interface cannot be live-migrated, so "
            "a node drain never finishes",
            "LiveMigrate with bridge",
        )


RULE = Rule(
    id="LM624",
    name="drain-by-migration-with-bridge-default",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A node drain migrates VMs, but the default interface keeps VMs from migrating.",
    rationale="KubeVirt refuses to evict a VM that must be live-migrated but cannot be. The drain waits until the VM is stopped.",
    remediation=(
        "Set spec.configuration.network.defaultNetworkInterface to masquerade, or evictionStrategy to LiveMigrateIfPossible."
    ),
    source="pkg/network/vmispec/defaults.go, pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/cluster_admin/node_maintenance/",
    check=check,
    examples=(
        Example("masquerade", f"{{configuration: {{evictionStrategy: LiveMigrate, {MASQUERADE}}}}}"),
        Example("no strategy", "{configuration: {network: {defaultNetworkInterface: bridge}}}"),
        Example("LiveMigrateIfPossible", "{configuration: {evictionStrategy: LiveMigrateIfPossible}}"),
        Example(
            "bridge, the default",
            "{configuration: {evictionStrategy: LiveMigrate}}",
            violates=("configuration.evictionStrategy",),
        ),
        Example(
            "bridge as written",
            "{configuration: {evictionStrategy: LiveMigrate, network: {defaultNetworkInterface: bridge}}}",
            violates=("configuration.evictionStrategy",),
        ),
        Example(
            "bridge in 1.3",
            "{configuration: {evictionStrategy: LiveMigrate, network: {}}}",
            violates=("configuration.evictionStrategy",),
            release="1.3",
        ),
    ),
)
