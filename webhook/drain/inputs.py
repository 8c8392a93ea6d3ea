"""The facts of a cluster on which all its drains depend: release, configuration, limits, and the objects by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Final, TypeVar

from webhook.drain.evacuation import takes_slot
from webhook.drain.evictions import Key
from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.releases import (
    NEWEST,
    OLDEST,
    Behaviour,
    Release,
    Version,
    judged_as,
    newest,
    only,
    parse_version,
)
from webhook.kubevirt.settings.settings import PARALLEL_CLUSTER, PARALLEL_OUTBOUND, in_force
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.fleet_kinds import ESSENTIAL, FLEET_BY_CLASS
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import Configuration, KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.quotas import LimitRange, PriorityClass, ResourceQuota
from webhook.objects.running import Migration, RunningVMI
from webhook.objects.storage import PersistentVolume, PersistentVolumeClaim
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet

K = TypeVar("K", bound=Kubernetes)

_ASSUMED_ABSENT: Final[tuple[type[Kubernetes], ...]] = (
    ResourceQuota,
    LimitRange,
    PodDisruptionBudget,
    Migration,
    PersistentVolumeClaim,
    PersistentVolume,
)
"""Kinds that a rehearsal can do without. If no object of such a kind was provided, the rehearsal assumes that none exists."""


class Inputs:
    """The cluster of a rehearsal."""

    def __init__(self, fleet: Fleet, release: str = "") -> None:
        """Raises BadInput if ``release`` is not supported."""
        self.fleet = fleet
        self.assumptions: list[str] = []
        """The assumptions of the rehearsal, as sentences."""
        plain = ObjectsWorld(_looked_up(fleet), fleet.complete & BY_CLASS.keys())
        self.version = self._version(plain, release)
        self.behaviour: Behaviour = newest(only(_judged(self.version)))
        self.world: World = with_kubevirt(plain, only(self.behaviour.release))
        self.configuration = self._configuration()
        self.nodes = {node.name: node for node in fleet.given(Node)}
        self.vmis = by_name(fleet.given(RunningVMI))
        settings = in_force(self.configuration.migrations, self.behaviour)
        self.outbound: int = settings[PARALLEL_OUTBOUND]
        self.in_cluster: int = settings[PARALLEL_CLUSTER]
        absent = [FLEET_BY_CLASS[kind].kind for kind in _ASSUMED_ABSENT if self.is_assumed_absent(kind)]
        if (why := fleet.unread.get(Migration)) is not None:
            self.assumptions.append(f"The migrations are unknown ({why}), so the rehearsal assumes that none runs.")
        if absent:
            listed = f"{', '.join(absent[:-1])} or {absent[-1]}" if len(absent) > 1 else absent[0]
            self.assumptions.append(f"No {listed} was provided, so the rehearsal assumes that there is none.")

    def _version(self, world: World, release: str) -> Version:
        if release:
            requested = parse_version(release) or parse_version(f"{release}.0")
            if requested is None or judged_as(requested.release) is None:
                raise BadInput(
                    f"unsupported release {release!r}",
                    remedy=f"Write a release from {OLDEST} to {NEWEST}, such as 1.8.2.",
                )
            return requested
        known = cluster_of(with_kubevirt(world, only(NEWEST))).version
        if known is not None and judged_as(known.release) is not None:
            return known
        self.assumptions.append(f"The KubeVirt release is unknown, so the rehearsal assumes {NEWEST}.0.")
        return Version(NEWEST.major, NEWEST.minor, 0)

    def _configuration(self) -> Configuration:
        configuration = cluster_of(self.world).configuration
        self.known_configuration: Fact[Configuration] = configuration
        """The configuration, or Unknown if the KubeVirt CR could not be read."""
        if isinstance(configuration, Unknown):
            if KubeVirt not in self.fleet.unread:
                self.known_configuration = Configuration()
            self.assumptions.append(
                f"The KubeVirt configuration is unknown ({configuration.why}), so the rehearsal assumes the defaults."
            )
            return Configuration()
        return configuration

    def is_assumed_absent(self, kind: type[Kubernetes]) -> bool:
        """Whether no object of a kind was provided. A kind that could not be read is unknown, and never absent."""
        return kind not in self.fleet.provided and kind not in self.fleet.unread

    def with_own_assumptions(self) -> "Inputs":
        """The same inputs with a list of assumptions of their own, for one of several rehearsals or explanations."""
        copied = copy(self)
        copied.assumptions = [*self.assumptions]
        return copied

    def assume(self, text: str) -> None:
        """Adds an assumption, once."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The kinds that were not provided and without which the outcomes are unknown, each with the reason."""
        return tuple(f"{kind}: {why}" for kind, why in self._missing.items())

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """The kinds in ``missing``."""
        return tuple(self._missing)

    @cached_property
    def _missing(self) -> Mapping[str, str]:
        known = ((FLEET_BY_CLASS[kind].kind, self.fleet.every(kind)) for kind in ESSENTIAL)
        return {kind: objects.why for kind, objects in known if isinstance(objects, Unknown)}

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """The pods that were provided."""
        return self.fleet.given(Pod)

    @cached_property
    def vms(self) -> Fact[Mapping[Key, VirtualMachine]]:
        """The VMs by name."""
        return self._by_name(VirtualMachine)

    @cached_property
    def replica_sets(self) -> Fact[Mapping[Key, VirtualMachineInstanceReplicaSet]]:
        """The replica sets of VMIs by name."""
        return self._by_name(VirtualMachineInstanceReplicaSet)

    @cached_property
    def priority_classes(self) -> frozenset[str]:
        """The names of the PriorityClasses."""
        return frozenset(one.name for one in self.fleet.given(PriorityClass))

    @cached_property
    def slots_taken(self) -> Mapping[str, int]:
        """The number of slots that migrations take now, by the node of their VMI. The key '' counts all of them."""
        taken: dict[str, int] = {"": 0}
        for migration in self.fleet.given(Migration):
            if not migration.is_final and takes_slot(migration, self.version):
                vmi = self.vmis.get((migration.namespace, migration.spec.vmi_name))
                taken[""] += 1
                if vmi is not None:
                    taken[vmi.node] = taken.get(vmi.node, 0) + 1
        return taken

    def _by_name(self, kind: type[K]) -> Fact[Mapping[Key, K]]:
        every = self.fleet.every(kind)
        return every if isinstance(every, Unknown) else by_name(every)


def by_name(objects: Iterable[K]) -> dict[Key, K]:
    """Objects by namespace and name."""
    return {(one.namespace, one.name): one for one in objects}


def _looked_up(fleet: Fleet) -> Iterator[Kubernetes]:
    """The objects of kinds that the engine looks up."""
    for kind in BY_CLASS:
        members: Sequence[Kubernetes] = fleet.given(kind)
        yield from members


def _judged(version: Version) -> Release:
    judged = judged_as(version.release)
    return NEWEST if judged is None else judged
