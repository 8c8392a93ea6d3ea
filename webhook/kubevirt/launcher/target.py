"""The facts about the target pod of a VMI, from the objects that are known without a further read."""

from collections.abc import Iterator

from webhook.cni.attachments import read_config
from webhook.facts.drain import DrainFacts
from webhook.facts.migration import MigrationFacts
from webhook.facts.network import CniConfig, Fault
from webhook.facts.target import Attachment, TargetFacts, TargetRoom
from webhook.facts.unknown import Absent, Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.launcher.known_nodes import have_sizes
from webhook.kubevirt.launcher.peers import replicas_of, vms_apart
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import Subject
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.quotas import ResourceQuota
from webhook.scheduling.label_selectors import selects


def target_facts(
    judged: Kubernetes, subject: Subject, facts: MigrationFacts, drain: DrainFacts, world: World, releases: Releases
) -> TargetFacts:
    """Returns the facts. Objects that are not needed for the VMI are not looked up."""
    nodes, replicas = world.every(Node), replicas_of(judged)
    return TargetFacts(
        releases,
        facts,
        drain,
        nodes,
        replicas,
        dict(vms_apart(subject, facts, replicas, world)) if not isinstance(nodes, Unknown) else {},
        tuple(_attachments(facts, world)),
        tuple(_budgets(facts, world)),
        _room(facts, subject, world, () if isinstance(nodes, Unknown) else nodes)
        if drain.migratable is not False
        else None,
    )


def _room(facts: MigrationFacts, subject: Subject, world: World, nodes: tuple[Node, ...]) -> TargetRoom | None:
    """The room for the target pod, if quotas of the namespace or the resources of nodes are known."""
    every = world.every(ResourceQuota)
    quotas = () if isinstance(every, Unknown) else tuple(quota for quota in every if _is_near(quota, facts))
    if not quotas and not have_sizes(nodes):
        return None
    from webhook.kubevirt.launcher.room import room_of  # noqa: PLC0415 - never at admission, and few manifests have a quota

    return room_of(facts, subject, world, quotas, nodes)


def _is_near(other: Kubernetes, facts: MigrationFacts) -> bool:
    """Whether an object can be in the namespace of the VM."""
    return not other.namespace or not facts.namespace or other.namespace == facts.namespace


def _attachments(facts: MigrationFacts, world: World) -> Iterator[Attachment]:
    """The interfaces with bridge binding, which gives the guest the address of its pod."""
    networks = {network.name: network.multus for network in facts.networks if network.multus is not None}
    for index, interface in enumerate(facts.interfaces):
        multus = networks.get(interface.name)
        if multus is None or interface.bridge is None or interface.binding is not None:
            continue
        namespace, _, name = multus.network_name.rpartition("/")
        found = world.find(NetworkAttachmentDefinition, namespace or facts.namespace, name)
        config: Fact[CniConfig] | Fault
        if isinstance(found, Absent):
            continue
        config = found if isinstance(found, Unknown) else read_config(found)
        if not isinstance(config, Fault):
            path = facts.at("domain", "devices", "interfaces", index)
            yield Attachment(path, interface.name, multus.network_name, config)


def _budgets(facts: MigrationFacts, world: World) -> Iterator[PodDisruptionBudget]:
    every = world.every(PodDisruptionBudget)
    if isinstance(every, Unknown):
        return
    for budget in every:
        if _is_near(budget, facts) and selects(budget.spec.selector, facts.labels):
            yield budget
