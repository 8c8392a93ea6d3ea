"""The facts about the target pod of a VMI, from the objects that are known without a further read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar, cast

from webhook.facts.drain import DrainFacts
from webhook.facts.migration import MigrationFacts
from webhook.facts.target import Attachment, TargetFacts, TargetRoom
from webhook.facts.unknown import Absent, Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.launcher.peers import replicas_of, vms_apart
from webhook.kubevirt.releases import Releases
from webhook.kubevirt.subject import Subject
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition, Node
from webhook.objects.quotas import ResourceQuota
from webhook.scheduling.label_selectors import selects

if TYPE_CHECKING:
    from webhook.facts.network import CniConfig

K = TypeVar("K", bound=Kubernetes)


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
    quotas = _near(ResourceQuota, facts, world)
    if not quotas and not (nodes and _have_sizes(nodes)):
        return None
    from webhook.kubevirt.launcher.room import room_of  # noqa: PLC0415 - never at admission, and few manifests have a quota

    return room_of(facts, subject, world, quotas, nodes)


def _have_sizes(nodes: tuple[Node, ...]) -> bool:
    from webhook.kubevirt.launcher.known_nodes import have_sizes  # noqa: PLC0415 - few manifests have a node

    return have_sizes(nodes)


_latest: dict[type[Kubernetes], tuple[object, dict[str, list[Kubernetes]]]] = {}
"""The latest objects of a kind, and the same objects by namespace. A world returns the same objects again until one changes."""


def _near(kind: type[K], facts: MigrationFacts, world: World) -> tuple[K, ...]:
    """The objects that can be in the namespace of the VM, by name: worlds return objects in different orders."""
    every = world.every(kind)
    if isinstance(every, Unknown):
        return ()
    by_namespace = _by_namespace(kind, every)
    spaces = (facts.namespace, "") if facts.namespace else by_namespace
    near = [one for space in spaces for one in by_namespace.get(space, ())]
    near.sort(key=lambda one: (one.namespace, one.name))
    return cast("tuple[K, ...]", tuple(near))


def _by_namespace(kind: type[Kubernetes], every: tuple[Kubernetes, ...]) -> dict[str, list[Kubernetes]]:
    known = _latest.get(kind)
    if known is not None and known[0] is every:
        return known[1]
    by_namespace: dict[str, list[Kubernetes]] = {}
    for one in every:
        by_namespace.setdefault(one.namespace, []).append(one)
    _latest[kind] = every, by_namespace
    return by_namespace


def _attachments(facts: MigrationFacts, world: World) -> Iterator[Attachment]:
    """The interfaces with bridge binding, which gives the guest the address of its pod."""
    networks = {network.name: network.multus for network in facts.networks if network.multus is not None}
    for index, interface in enumerate(facts.interfaces):
        multus = networks.get(interface.name)
        if multus is None or interface.bridge is None or interface.binding is not None:
            continue
        namespace, _, name = multus.network_name.rpartition("/")
        found = world.find(NetworkAttachmentDefinition, namespace or facts.namespace, name)
        if isinstance(found, Absent):
            continue
        config = found if isinstance(found, Unknown) else _config(found)
        if config is not None:
            path = facts.at("domain", "devices", "interfaces", index)
            yield Attachment(path, interface.name, multus.network_name, config)


def _config(network: NetworkAttachmentDefinition) -> "Fact[CniConfig] | None":
    """The configuration of a network, or None if it has a fault, which a rule about the network reports."""
    from webhook.cni.attachments import read_config  # noqa: PLC0415 - few manifests have a network
    from webhook.facts.network import Fault  # noqa: PLC0415

    config = read_config(network)
    return None if isinstance(config, Fault) else config


def _budgets(facts: MigrationFacts, world: World) -> Iterator[PodDisruptionBudget]:
    for budget in _near(PodDisruptionBudget, facts, world):
        if selects(budget.spec.selector, facts.labels):
            yield budget
