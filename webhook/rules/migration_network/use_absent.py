"""The migration network must exist before the KubeVirt CR names it."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.rules.example import nad
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES, USES_NONE
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

_CONFIG = '{"type": "macvlan", "master": "eth1", "ipam": {"type": "dhcp"}}'


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if not facts.network_name:
        return
    if isinstance(facts.network, Unknown):
        network = facts.network
        yield Undetermined(facts.path, network.why, network.settle, facts.network_name, unreadable=network.unreadable)
    elif isinstance(facts.network, Absent):
        message = (
            f"namespace {facts.network_namespace!r} has no NetworkAttachmentDefinition {facts.network_name!r}, so "
            "virt-handler would not start again on any node, and no VM could start, stop or migrate"
        )
        remedy = (
            "Ask the administrator of the cluster network to create the NetworkAttachmentDefinition in namespace "
            f"{facts.network_namespace!r}. Set its name here only after that."
        )
        yield Violation(facts.path, message, f"{facts.network_namespace}/{facts.network_name}", remedy)


RULE = Rule(
    id="LM716",
    name="migration-network-absent",
    about=About.MIGRATION_NETWORK,
    summary="The migration network does not exist.",
    rationale=(
        "KubeVirt does not check the network. After this change, virt-handler restarts on every node, and its new "
        "pods do not start. No VM can then start, stop or migrate."
    ),
    remediation=(
        "Ask the administrator of the cluster network to create the NetworkAttachmentDefinition in KubeVirt's own "
        "namespace. Set its name here only after that."
    ),
    source="multus-cni v4.3.0 pkg/k8sclient getKubernetesDelegate; daemonsets.go NewHandlerDaemonSet, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a network that exists", USES, world=(nad("migration-network", _CONFIG),)),
        Example(
            "a network of that name in another namespace",
            USES,
            world=(nad("migration-network", _CONFIG, "tenant"),),
            undetermined=("configuration.migrations.network",),
        ),
        Example(
            "a network that does not exist, in a cluster without networks",
            USES,
            complete="NetworkAttachmentDefinition",
            violates=("configuration.migrations.network",),
        ),
        Example(
            "another network in the namespace, and no others in the cluster",
            USES,
            world=(nad("storage", _CONFIG),),
            complete="NetworkAttachmentDefinition",
            violates=("configuration.migrations.network",),
        ),
        Example(
            "a network with its namespace",
            "{configuration: {migrations: {network: tenant/migration-network}}}",
            world=(nad("migration-network", _CONFIG, "tenant"),),
        ),
        Example("no migration network", USES_NONE, complete="NetworkAttachmentDefinition"),
        Example(
            "a network of that name in another namespace, and no others in the cluster",
            USES,
            world=(nad("migration-network", _CONFIG, "tenant"),),
            complete="NetworkAttachmentDefinition",
            violates=("configuration.migrations.network",),
        ),
        Example("no networks provided", USES, undetermined=("configuration.migrations.network",)),
    ),
)
