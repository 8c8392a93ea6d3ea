"""With namespace isolation, Multus allows pods only the networks of their own namespace."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.rules.example import nad
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if facts.network_name and facts.network_namespace != facts.namespace and facts.namespace:
        message = f"{facts.value!r} is not in KubeVirt's namespace {facts.namespace!r}, so Multus might refuse it"
        yield Violation(facts.path, message, facts.network_namespace)


RULE = Rule(
    id="LM717",
    name="migration-network-in-another-namespace",
    about=About.MIGRATION_NETWORK,
    severity=Severity.WARNING,
    summary="The migration network is not in KubeVirt's own namespace.",
    rationale=(
        "Where Multus runs with namespace isolation, virt-handler does not start unless Multus lists the other "
        "namespace as global. Users with permission to delete networks in that namespace can stop virt-handler on "
        "every node."
    ),
    remediation="Create the NetworkAttachmentDefinition in KubeVirt's namespace, and write only its name.",
    source="multus-cni v4.3.0 pkg/k8sclient GetNetworkDelegates (NamespaceIsolation)",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("KubeVirt's own namespace", USES),
        Example(
            "KubeVirt's own namespace, written out",
            "{configuration: {migrations: {network: kubevirt/migration-network}}}",
        ),
        Example(
            "another namespace",
            "{configuration: {migrations: {network: tenant/migration-network}}}",
            violates=("configuration.migrations.network",),
        ),
        Example(
            "the default namespace",
            "{configuration: {migrations: {network: default/migration-network}}}",
            violates=("configuration.migrations.network",),
        ),
        Example(
            "another namespace, in which the network exists",
            "{configuration: {migrations: {network: tenant/migration-network}}}",
            world=(nad("migration-network", '{"type": "macvlan", "master": "eth1"}', "tenant"),),
            violates=("configuration.migrations.network",),
        ),
        Example("no migration network", USES_NONE),
    ),
)
