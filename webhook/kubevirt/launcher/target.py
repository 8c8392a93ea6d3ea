"""The facts about the target pod of a VMI, from the objects that are known without a further read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from webhook.facts.derived import Derived
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
from webhook.scheduling.label_selectors import Selector, selects

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
    every = world.every(ResourceQuota)
    quotas = _QUOTAS.of(() if isinstance(every, Unknown) else every).of(facts.namespace)
    if not quotas and not (nodes and _have_sizes(nodes)):
        return None
    from webhook.kubevirt.launcher.room import room_of  # noqa: PLC0415 - never at admission, and few manifests have a quota

    return room_of(facts, subject, world, quotas, nodes)


def _have_sizes(nodes: tuple[Node, ...]) -> bool:
    from webhook.kubevirt.launcher.known_nodes import have_sizes  # noqa: PLC0415 - few manifests have a node

    return have_sizes(nodes)


class _Nearby(Generic[K]):
    """The objects of a kind by namespace, sorted by name: worlds return objects in different orders."""

    def __init__(self, every: Iterable[K]) -> None:
        self.all: list[K] = sorted(every, key=lambda one: (one.namespace, one.name))
        self._by_namespace: dict[str, list[K]] = {}
        for one in self.all:
            self._by_namespace.setdefault(one.namespace, []).append(one)

    def of(self, namespace: str) -> Sequence[K]:
        """The objects that can be in the namespace of a VM."""
        if not namespace:
            return self.all
        return (*self._by_namespace.get("", ()), *self._by_namespace.get(namespace, ()))


class BudgetIndex:
    """PodDisruptionBudgets by a label that they require, for each namespace with VMs."""

    def __init__(self, every: Iterable[PodDisruptionBudget]) -> None:
        self._nearby = _Nearby(every)
        self._by_label: dict[str, dict[tuple[str, str] | None, list[tuple[int, PodDisruptionBudget]]]] = {}

    def selecting(self, namespace: str, labels: Mapping[str, str]) -> Iterator[PodDisruptionBudget]:
        """The budgets that select a pod with these labels, by name."""
        by_label = self._by_label.get(namespace)
        if by_label is None:
            by_label = {}
            for number, budget in enumerate(self._nearby.of(namespace)):
                for label in _anchors(budget):
                    by_label.setdefault(label, []).append((number, budget))
            self._by_label[namespace] = by_label  # only when it is complete, because several threads can judge
        near = [found for label in (*labels.items(), None) for found in by_label.get(label, ())]
        near.sort(key=lambda found: found[0])
        return (budget for _, budget in near if selects(budget.spec.selector, labels))


def _anchors(budget: PodDisruptionBudget) -> Iterable[tuple[str, str] | None]:
    """The labels of which each selected pod has one, or None if the budget lists no values."""
    anchor = Selector(budget.spec.selector).anchor
    return (None,) if anchor is None else ((anchor[0], value) for value in dict.fromkeys(anchor[1]))


_QUOTAS: Final = Derived(_Nearby[ResourceQuota])
_BUDGETS: Final = Derived(BudgetIndex)


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
    every = world.every(PodDisruptionBudget)
    index = _BUDGETS.of(() if isinstance(every, Unknown) else every)
    return index.selecting(facts.namespace, facts.labels)
