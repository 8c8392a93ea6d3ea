"""Multus looks up a network by its name, or by namespace and name."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.objects.shown import shown
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_AT = ("configuration.migrations.network",)


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if not facts.network_name:
        yield Violation(
            facts.path, f"{shown(facts.value)} is not a valid name of a NetworkAttachmentDefinition", "name"
        )


RULE = Rule(
    id="LM715",
    name="migration-network-misnamed",
    about=About.MIGRATION_NETWORK,
    summary="The name of the migration network is not valid for Multus.",
    rationale=(
        "virt-operator copies the value into virt-handler's pod template. Multus refuses the invalid name, and "
        "virt-handler does not start on any node."
    ),
    remediation="Write the name of a NetworkAttachmentDefinition: lower-case letters, digits and dashes, at most 63 characters.",
    source="multus-cni v4.3.0 pkg/k8sclient parsePodNetworkObjectName; daemonsets.go NewHandlerDaemonSet, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a name", USES),
        Example("a namespace and a name", "{configuration: {migrations: {network: kubevirt/migration-network}}}"),
        Example("no migration network", USES_NONE),
        Example("capitals", "{configuration: {migrations: {network: Migration}}}", violates=_AT),
        Example("an empty name", "{configuration: {migrations: {network: ''}}}", violates=_AT),
        Example("a name with a dot", "{configuration: {migrations: {network: migration.net}}}", violates=_AT),
        Example(
            "a name followed by an interface",
            "{configuration: {migrations: {network: 'migration@eth1'}}}",
            violates=_AT,
        ),
    ),
)
