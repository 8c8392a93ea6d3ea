"""
The number of VMs that must run on different nodes because of required anti-affinity.

The VMs are indexed once for a world, because each of them can have anti-affinity to all others. This module does no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from webhook.facts.derived import Derived
from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.subject import VM_KINDS, Subject, subject_of
from webhook.objects.meta import Kubernetes
from webhook.objects.scheduling import HOSTNAME, PodTerm
from webhook.objects.vm import VirtualMachine, VirtualMachineInstanceReplicaSet, VirtualMachinePool
from webhook.scheduling.label_selectors import Selector, selects

_STOPPED: Final = frozenset(("Halted", "Manual", "WaitAsReceiver"))


class _Peer(msgspec.Struct, frozen=True):
    """A VM, or the VMs of a replica set or pool."""

    namespace: str
    labels: Mapping[str, str]
    """The labels of the pods."""
    replicas: int
    """The number of running pods."""


class Peers:
    """All known VMs."""

    def __init__(self, lists: Iterable[Iterable[Kubernetes]]) -> None:
        self._by_identity: dict[tuple[str, str, str], _Peer] = {}
        self._by_label: dict[tuple[str, str], list[_Peer]] = {}
        self._totals: dict[tuple[object, ...], int] = {}
        subjects = [(one, found) for listed in lists for one in listed if (found := subject_of(one)) is not None]
        known = {_identity(found) for _, found in subjects}
        for one, found in subjects:
            if not any(owner in known for owner in _owners(found)):  # its owner counts for it
                self._add(one, found)

    def _add(self, added: Kubernetes, found: Subject) -> None:
        replicas = replicas_of(added)
        if not replicas:
            return
        peer = _Peer(found.namespace, found.meta.labels or {}, replicas)
        self._by_identity[_identity(found)] = peer
        for label in peer.labels.items():
            self._by_label.setdefault(label, []).append(peer)

    def others(self, subject: Subject, term: PodTerm) -> int:
        """The number of running VMs that a term of ``subject`` selects, without the VMs of ``subject`` itself."""
        spaces = _namespaces(subject, term)
        own = self._by_identity.get(_identity(subject))
        is_counted = own is not None and _is_in(own, spaces) and selects(term.label_selector, own.labels)
        return self._total(Selector(term.label_selector), spaces) - (
            own.replicas if own is not None and is_counted else 0
        )

    def _total(self, selector: Selector, spaces: frozenset[str]) -> int:
        key = (selector.identity, spaces)
        total = self._totals.get(key)
        if total is None:
            selected = (peer for peer in self._anchored(selector) if _is_in(peer, spaces))
            total = self._totals[key] = sum(peer.replicas for peer in selected if selector.matches(peer.labels))
        return total

    def _anchored(self, selector: Selector) -> Iterable[_Peer]:
        """The VMs with a label that the selector requires."""
        if selector.anchor is None:
            return self._by_identity.values()
        key, values = selector.anchor
        return (peer for value in dict.fromkeys(values) for peer in self._by_label.get((key, value), ()))


def vms_apart(subject: Subject, facts: MigrationFacts, replicas: int, world: World) -> Iterator[tuple[int, int]]:
    """
    Yields the index of each required anti-affinity term that keeps VMs with the VM's own labels on different nodes, and the
    number of these VMs. ``replicas`` is the number of running VMs of ``subject``.
    """
    affinity = facts.spec.affinity.pod_anti_affinity if facts.spec.affinity is not None else None
    for index, term in enumerate((affinity.required if affinity is not None else None) or ()):
        if _keeps_apart(facts, term):
            yield index, replicas + _peers_of(world).others(subject, term)


def replicas_of(judged: Kubernetes) -> int:
    """The number of running VMIs that belong to an object."""
    if isinstance(judged, VirtualMachineInstanceReplicaSet | VirtualMachinePool):
        return max(judged.spec.replicas if judged.spec.replicas is not None else 1, 0)
    if isinstance(judged, VirtualMachine):
        is_stopped = judged.spec.run_strategy in _STOPPED or judged.spec.running is False
        return 0 if is_stopped else 1
    return 1


def _keeps_apart(facts: MigrationFacts, term: PodTerm) -> bool:
    """Whether the term matches the VM's own labels, so that VMs with these labels must run on different nodes."""
    has_keys = term.match_label_keys or term.mismatch_label_keys or term.namespace_selector is not None
    return term.topology_key == HOSTNAME and not has_keys and selects(term.label_selector, facts.labels)


def _namespaces(subject: Subject, term: PodTerm) -> frozenset[str]:
    """The namespaces of a term. The empty set means all namespaces, because the namespace of ``subject`` is not known."""
    if term.namespaces:
        return frozenset(term.namespaces)
    return frozenset((subject.namespace, "")) if subject.namespace else frozenset()


def _is_in(peer: _Peer, spaces: frozenset[str]) -> bool:
    return not spaces or peer.namespace in spaces


def _owners(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """The identities of the controllers of an object, such as the VirtualMachine of a VMI."""
    for owner in subject.outer.owner_references or ():
        if owner.controller:
            yield owner.kind, subject.namespace, owner.name


def _identity(subject: Subject) -> tuple[str, str, str]:
    return subject.kind, subject.namespace, subject.name


_PEERS: Final = Derived(lambda *lists: Peers(lists))


def _peers_of(world: World) -> Peers:
    every = (world.every(kind) for kind in VM_KINDS)
    return _PEERS.of(*(() if isinstance(known, Unknown) else known for known in every))
