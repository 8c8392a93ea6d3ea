"""A change of the migration network restarts virt-handler."""

from collections.abc import Iterator

from webhook.facts.network import NetworkChangeFacts
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_AT = ("configuration.migrations.network",)


def check(facts: NetworkChangeFacts) -> Iterator[Outcome]:
    if not facts.before:
        change = f"the migration network is set to {facts.after!r}"
    elif facts.after:
        change = f"the migration network changes from {facts.before!r} to {facts.after!r}"
    else:
        change = f"the migration network {facts.before!r} is removed"
    yield Violation(facts.path, f"{change}, so virt-handler restarts on every node", facts.after)


RULE = Rule(
    id="LM719",
    name="virt-handler-restarts",
    about=About.MIGRATION_NETWORK_CHANGE,
    severity=Severity.INFO,
    summary="A change of the migration network restarts virt-handler on every node.",
    rationale=(
        "The network is part of virt-handler's pod template. VMs continue to run during the restart, but running "
        "migrations fail. VMs on a node cannot start or stop until the node's virt-handler runs again."
    ),
    remediation="Change the migration network while no migration runs.",
    source="pkg/virt-operator/resource/generate/components/daemonsets.go NewHandlerDaemonSet, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("no change", USES, before=USES),
        Example(
            "another setting changes",
            "{configuration: {migrations: {network: migration-network, allowPostCopy: true}}}",
            before=USES,
        ),
        Example("no migration network before and after", USES_NONE, before="{configuration: {}}"),
        Example("a first migration network", USES, before=USES_NONE, violates=_AT),
        Example(
            "another migration network", "{configuration: {migrations: {network: other}}}", before=USES, violates=_AT
        ),
        Example("the migration network is removed", USES_NONE, before=USES, violates=_AT),
    ),
)
