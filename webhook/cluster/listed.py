"""A world of objects that were listed once, for an audit. No lookup reads anything."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar, cast

import msgspec

from webhook.cluster.messages import forbidden, invalid_name, missing_object, not_read
from webhook.cluster.pages import Item, Lister, NotListed, NotServed
from webhook.cluster.projection import Key, Malformed, Projection, all_readable
from webhook.facts.objects_world import ONE_IN_A_CLUSTER
from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.objects.disruption import PodDisruptionBudget
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kinds import BY_CLASS, Kind
from webhook.objects.meta import Kubernetes
from webhook.objects.quotas import ResourceQuota

K = TypeVar("K", bound=Kubernetes)

INSTANCETYPE = b"instancetype.kubevirt.io/"
"""A ControllerRevision without this text belongs to a StatefulSet or DaemonSet, and can contain a whole pod template."""

OF_ONE_NAMESPACE: frozenset[type[Kubernetes]] = frozenset((PodDisruptionBudget, ResourceQuota))
"""Kinds of which a VM needs only the objects in its own namespace (``launcher/target.py``)."""


class _Listed(msgspec.Struct):
    """The objects of one kind."""

    objects: dict[Key, Kubernetes | Unknown | bytes]
    """Packed objects are bytes."""
    is_served: bool = True
    others: Unknown | None = None
    """Why objects of other namespaces are unknown, or None if all namespaces were listed."""
    namespaces: frozenset[str] = frozenset()
    """The listed namespaces, if not all were listed."""
    everything: Fact[tuple[Kubernetes, ...]] | None = None


class ListedWorld:
    """A World of listed objects. Kinds that could not be listed are Unknown, with the reason."""

    def __init__(self) -> None:
        self._kinds: dict[type[Kubernetes], _Listed] = {}
        self._unread: dict[type[Kubernetes], Unknown] = {}
        self._lacking: dict[type[Kubernetes], dict[str, Unknown]] = {}

    @property
    def unread(self) -> Iterator[tuple[type[Kubernetes], str, Unknown]]:
        """
        The kinds that could not be listed, each with the reason. The text is the namespace in which the kind could not be
        listed, or empty if it could not be listed at all.
        """
        yield from ((kind, "", why) for kind, why in self._unread.items())
        for kind, spaces in self._lacking.items():
            yield from ((kind, space, why) for space, why in spaces.items())

    @property
    def failed(self) -> Mapping[type[Kubernetes], Unknown]:
        """The kinds that could not be listed, each with the reason."""
        return self._unread

    def serves(self, kind: type[Kubernetes]) -> bool:
        """Whether the cluster serves a kind that was listed."""
        listed = self._kinds.get(kind)
        return listed is None or listed.is_served

    def fail(self, kind: type[Kubernetes], why: Unknown) -> None:
        """Records that a kind could not be listed."""
        self._kinds.pop(kind, None)
        self._unread[kind] = why

    def begin(
        self,
        kind: type[Kubernetes],
        *,
        is_served: bool = True,
        others: Unknown | None = None,
        namespaces: Collection[str] = (),
    ) -> None:
        """Records that a kind was listed. ``others`` is the reason if only ``namespaces`` were listed."""
        self._unread.pop(kind, None)
        self._kinds[kind] = _Listed({}, is_served, others, frozenset(namespaces))

    def lack(self, kind: type[Kubernetes], namespace: str, why: Unknown) -> None:
        """Records that a kind that was begun could not be listed in a namespace."""
        self._lacking.setdefault(kind, {})[namespace] = why

    def put(self, kind: type[Kubernetes], key: Key, value: Kubernetes | Unknown) -> None:
        """Adds an object of a kind that was begun."""
        self._put(kind, key, value)

    def pack(self, kind: type[Kubernetes], key: Key, value: Kubernetes) -> None:
        """As ``put``, for kinds with many objects that few lookups need. A packed object needs a quarter of the memory."""
        self._put(kind, key, msgspec.msgpack.encode(value))

    def _put(self, kind: type[Kubernetes], key: Key, value: Kubernetes | Unknown | bytes) -> None:
        listed = self._kinds[kind]
        listed.everything = None
        namespace, name = key
        listed.objects[sys.intern(namespace), sys.intern(name)] = value

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the listed object. A kind that is not served has no objects."""
        listed = self._kinds.get(kind)
        if listed is None:
            return self._unread.get(kind) or not_read(kind)
        known = BY_CLASS[kind]
        space = namespace if known.namespaced else ""
        found = listed.objects.get((space, name))
        if found is not None:
            return cast("Found[K]", _unpacked(kind, found))
        if problem := invalid_name(known, space, name):
            return problem
        if (why := self._lacking.get(kind, {}).get(space)) is not None:
            return why
        if listed.others is not None and space not in listed.namespaces:
            return listed.others
        return missing_object(kind, space, name) if listed.is_served else ABSENT

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """
        Returns all listed objects of a kind.

        Returns Unknown if only some namespaces were listed, except for kinds of which a judgement needs only the objects of its
        own namespace.
        """
        listed = self._kinds.get(kind)
        if listed is None:
            return self._unread.get(kind) or not_read(kind)
        if listed.others is not None and (kind not in OF_ONE_NAMESPACE or kind in self._lacking):
            return listed.others
        if listed.everything is None:
            listed.everything = all_readable(_unpacked(kind, one) for one in listed.objects.values())
        return cast("Fact[tuple[K, ...]]", listed.everything)


def _unpacked(kind: type[Kubernetes], found: Kubernetes | Unknown | bytes) -> Kubernetes | Unknown:
    return msgspec.msgpack.decode(found, type=kind) if isinstance(found, bytes) else found


def list_facts(
    world: ListedWorld,
    lister: Lister,
    kinds: Iterable[type[Kubernetes]],
    namespaces: Collection[str] = (),
    seen: Callable[[Kind, Item], None] | None = None,
) -> None:
    """
    Lists kinds into ``world``, each with one list. ``seen`` is called with each object.

    A kind that the account may not list in all namespaces is listed in each of ``namespaces``. Never raises.
    """
    for reads in kinds:
        kind = BY_CLASS[reads]
        try:
            world.begin(reads)
            _read(world, lister.every(kind), kind, seen)
        except NotServed:
            world.begin(reads, is_served=False)
        except NotListed as error:
            world.fail(reads, error.unread)
            is_elsewhere = reads in ONE_IN_A_CLUSTER  # in the namespace of KubeVirt
            if kind.namespaced and namespaces and not is_elsewhere and error.unread == forbidden(kind):
                _list_namespaces(world, lister, kind, namespaces, seen)


def _list_namespaces(
    world: ListedWorld,
    lister: Lister,
    kind: Kind,
    namespaces: Collection[str],
    seen: Callable[[Kind, Item], None] | None,
) -> None:
    world.begin(kind.reads, others=forbidden(kind), namespaces=namespaces)
    list_each(world, kind, namespaces, lambda namespace: _read(world, lister.every(kind, namespace), kind, seen))


def list_each(world: ListedWorld, kind: Kind, namespaces: Collection[str], read: Callable[[str], None]) -> None:
    """
    Calls ``read`` with each namespace, and records those that cannot be listed. If none can, the whole kind is unread.

    Never raises because of a list.
    """
    unread: dict[str, Unknown] = {}
    for namespace in namespaces:
        try:
            read(namespace)
        except NotServed:
            world.begin(kind.reads, is_served=False)
            return
        except NotListed as error:
            unread[namespace] = error.unread
    if len(unread) == len(namespaces):
        world.fail(kind.reads, next(iter(unread.values())))
        return
    for namespace, why in unread.items():
        world.lack(kind.reads, namespace, why)


def _read(world: ListedWorld, items: Iterable[Item], kind: Kind, seen: Callable[[Kind, Item], None] | None) -> None:
    projection = Projection(kind)
    for item in items:
        if kind.reads is ControllerRevision and INSTANCETYPE not in bytes(item.raw):
            continue
        try:
            one = projection.read(item.raw, item.version)
        except Malformed:
            continue
        world.put(kind.reads, one.key, one.value)
        if seen is not None:
            seen(kind, item)
