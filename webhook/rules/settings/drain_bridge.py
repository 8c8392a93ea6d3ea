"""Evicting by migration needs VMs that can migrate; by default theirs is an interface that cannot."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

MASQUERADE = "network: {defaultNetworkInterface: masquerade}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if facts.eviction_strategy == "LiveMigrate" and facts.default_network_interface == "bridge":
        yield Violation(
            ("spec", "configuration", "evictionStrategy"),
            "evictionStrategy is LiveMigrate, but a VM without interfaces gets bridge on the pod network and cannot migrate: "
            "draining its node never ends",
            "LiveMigrate with bridge",
        )


RULE = Rule(
    id="LM624",
    name="drain-by-migration-with-bridge-default",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Drains migrate VMs, but VMs are made non-migratable by default.",
    rationale="KubeVirt refuses to evict a VM that should migrate and cannot, so the drain waits for somebody to stop it.",
    remediation=(
        "Set spec.configuration.network.defaultNetworkInterface to masquerade, or evictionStrategy to LiveMigrateIfPossible."
    ),
    source="pkg/network/vmispec/defaults.go, pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go, v1.9.0",
    reference="https://kubevirt.io/user-guide/compute/node_maintenance/",
    check=check,
    examples=(
        Example("masquerade", f"{{configuration: {{evictionStrategy: LiveMigrate, {MASQUERADE}}}}}"),
        Example("no strategy", "{configuration: {network: {defaultNetworkInterface: bridge}}}"),
        Example(
            "bridge, which is the default",
            "{configuration: {evictionStrategy: LiveMigrate}}",
            violates=("configuration.evictionStrategy",),
        ),
    ),
)
