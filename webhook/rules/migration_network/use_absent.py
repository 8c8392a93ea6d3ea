"""The migration network has to be there before KubeVirt is told to use it."""

from collections.abc import Iterator

from webhook.facts.network import MigrationNetworkFacts
from webhook.facts.unknown import Absent, Unknown
from webhook.rules.example import nad
from webhook.rules.migration_network._network import NETWORK_GUIDE, USES
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

_CONFIG = '{"type": "macvlan", "master": "eth1", "ipam": {"type": "dhcp"}}'


def check(facts: MigrationNetworkFacts) -> Iterator[Outcome]:
    if not facts.network_name:
        return
    if isinstance(facts.network, Unknown):
        network = facts.network
        yield Undetermined(facts.path, network.why, network.settle, facts.network_name, unreadable=network.unreadable)
    elif isinstance(facts.network, Absent):
        message = f"namespace {facts.network_namespace!r} has no NetworkAttachmentDefinition {facts.network_name!r}"
        remedy = f"Create it in namespace {facts.network_namespace!r} first, then name it here."
        yield Violation(facts.path, message, f"{facts.network_namespace}/{facts.network_name}", remedy)


RULE = Rule(
    id="LM716",
    name="migration-network-absent",
    about=About.MIGRATION_NETWORK,
    summary="The migration network does not exist.",
    rationale=(
        "KubeVirt does not look. virt-handler restarts on every node with this network and hangs while it is created; meanwhile "
        "no VM on these nodes can be started, stopped or migrated."
    ),
    remediation="Create the NetworkAttachmentDefinition in KubeVirt's own namespace first, then name it here.",
    source="multus-cni v4.3.0 pkg/k8sclient getKubernetesDelegate; daemonsets.go NewHandlerDaemonSet, v1.9.0",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example("a network that exists", USES, world=(nad("migration-network", _CONFIG),)),
        Example(
            "a network of that name elsewhere",
            USES,
            world=(nad("migration-network", _CONFIG, "tenant"),),
            undetermined=("configuration.migrations.network",),
        ),
        Example(
            "a network of that name elsewhere, and nothing else in the cluster",
            USES,
            world=(nad("migration-network", _CONFIG, "tenant"),),
            complete="NetworkAttachmentDefinition",
            violates=("configuration.migrations.network",),
        ),
        Example("a network that nobody showed us", USES, undetermined=("configuration.migrations.network",)),
    ),
)
