"""Setting, changing or removing the migration network restarts virt-handler."""

from collections.abc import Iterator

from webhook.facts.network import NetworkChangeFacts
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_AT = ("configuration.migrations.network",)


def check(facts: NetworkChangeFacts) -> Iterator[Outcome]:
    if not facts.before:
        what = f"the migration network becomes {facts.after!r}"
    elif facts.after:
        what = f"the migration network changes from {facts.before!r} to {facts.after!r}"
    else:
        what = f"the migration network {facts.before!r} is given up"
    yield Violation(facts.path, f"{what}: virt-handler restarts on every node", facts.after)


RULE = Rule(
    id="LM719",
    name="virt-handler-restarts",
    about=About.MIGRATION_NETWORK_CHANGE,
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
        Example("something else changes", USES, before=USES),
        Example("a first migration network", USES, before=USES_NONE, violates=_AT),
        Example(
            "another migration network", "{configuration: {migrations: {network: other}}}", before=USES, violates=_AT
        ),
        Example("no migration network any more", USES_NONE, before=USES, violates=_AT),
    ),
)
