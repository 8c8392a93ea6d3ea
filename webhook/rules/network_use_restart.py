"""Setting, changing or removing the migration network restarts virt-handler."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.rules.network_words import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if facts.network_name:
        message = f"if this changes the migration network to {facts.value!r}, virt-handler restarts on every node"
        yield Violation(facts.path, message, f"{facts.network_namespace}/{facts.network_name}")


RULE = Rule(
    id="LM719",
    name="virt-handler-restarts",
    about=About.MIGRATION_NETWORK,
    severity=Severity.INFO,
    summary="A change of the migration network restarts virt-handler on every node.",
    rationale=(
        "The network is part of virt-handler's pod template. VMs keep running during the restart; migrations that run at that "
        "moment fail, and nothing is started or stopped on a node until its virt-handler is back."
    ),
    remediation="Change the migration network while no migration runs.",
    source="pkg/virt-operator/resource/generate/components/daemonsets.go NewHandlerDaemonSet, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("no migration network", USES_NONE),
        Example("a migration network", USES, violates=("configuration.migrations.network",)),
    ),
)
