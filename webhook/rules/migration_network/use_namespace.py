"""Multus can be told that pods use networks of their own namespace only."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if facts.network_name and facts.network_namespace != facts.namespace and facts.namespace:
        message = f"{facts.value!r} is in another namespace than KubeVirt ({facts.namespace!r}); Multus may forbid that"
        yield Violation(facts.path, message, facts.network_namespace)


RULE = Rule(
    id="LM717",
    name="migration-network-in-another-namespace",
    about=About.MIGRATION_NETWORK,
    severity=Severity.WARNING,
    summary="The migration network is not in KubeVirt's own namespace.",
    rationale=(
        "Where Multus runs with namespace isolation, virt-handler does not start, unless the other namespace is one that Multus "
        "lists as global. Whoever may delete networks there can stop virt-handler everywhere, too."
    ),
    remediation="Create the NetworkAttachmentDefinition in KubeVirt's namespace and write its name alone.",
    source="multus-cni v4.3.0 pkg/k8sclient GetNetworkDelegates (NamespaceIsolation)",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("KubeVirt's own namespace", USES),
        Example("the same, written out", "{configuration: {migrations: {network: kubevirt/migration-network}}}"),
        Example(
            "another namespace",
            "{configuration: {migrations: {network: tenant/migration-network}}}",
            violates=("configuration.migrations.network",),
        ),
    ),
)
