"""Lookups in the watched objects, and the record of the lookups on which a judgement depends."""

from typing import TypeVar, cast

from webhook.audit.watching.packed import Packed
from webhook.cluster.lookups import Question
from webhook.cluster.messages import forbidden, invalid_name, missing_object, not_read
from webhook.cluster.projection import all_readable
from webhook.cluster.store import Store
from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.facts.world import World
from webhook.kubevirt.subject import VM_KINDS
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)
Objects = tuple[Kubernetes, ...]


class WatchedWorld:
    """
    A World of the watched objects. No lookup reads anything.

    The result is the state that was heard last, also while a watch is interrupted: an interruption alone must not change
    100,000 reports. The metric for the age of the audit shows the age of this state.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._views: dict[type[Kubernetes], tuple[object, Fact[Objects]]] = {}
        self._machines: dict[type[Kubernetes], Objects] = {}
        self.is_outdated = False
        """Whether VMs have changed since the last ``refresh``. Set this after each such change."""

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the stored object."""
        if not self._store.holds(kind):
            return not_read(kind)
        known = BY_CLASS[kind]
        space = namespace if known.namespaced else ""
        held = self._store.get(kind, space, name)
        if held is not None and not _is_foreign(held):
            return cast("Found[K]", held.view if isinstance(held, Packed) else held)
        if problem := invalid_name(known, space, name):
            return problem
        if self._store.synced(kind):
            return missing_object(kind, space, name)
        return ABSENT if self._store.missing(kind) else self._unread(kind)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all stored objects. VMs are those of the last ``refresh``."""
        if not self._store.holds(kind):
            return not_read(kind)
        if not self._store.synced(kind):
            return () if self._store.missing(kind) else self._unread(kind)
        if kind in VM_KINDS:
            if kind not in self._machines:
                self._machines[kind] = self._readable(kind)
            return cast("tuple[K, ...]", self._machines[kind])
        return cast("Fact[tuple[K, ...]]", self._listed(kind))

    def refresh(self) -> None:
        """Let the next lookup of all VMs return the present VMs. An index over 100,000 VMs is not built for each change."""
        self._machines.clear()
        self.is_outdated = False

    def _listed(self, kind: type[Kubernetes]) -> Fact[Objects]:
        stored = self._store.every(kind)
        if isinstance(stored, Unknown):
            return stored
        known = self._views.get(kind)
        if known is None or known[0] is not stored:
            views = (one.view if isinstance(one, Packed) else one for one in sorted(stored, key=_place))
            known = self._views[kind] = (stored, all_readable(views))
        return known[1]

    def _readable(self, kind: type[Kubernetes]) -> Objects:
        """The views of all VMs of a kind that can be read."""
        stored = self._store.every(kind)
        views = (one.view for one in (() if isinstance(stored, Unknown) else stored) if isinstance(one, Packed))
        return tuple(sorted((view for view in views if not isinstance(view, Unknown)), key=_place))

    def _unread(self, kind: type[Kubernetes]) -> Unknown:
        return forbidden(BY_CLASS[kind]) if self._store.refused(kind) else not_read(kind)


class TracedWorld:
    """Passes lookups to another world, and records them. Lookups for advice count, because a report contains advice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.questions: dict[Question, None] = {}
        """The lookups, in order."""

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object."""
        space = namespace if BY_CLASS[kind].namespaced else ""
        self.questions[Question(kind, space, name)] = None
        return self._world.find(kind, namespace, name)

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of the kind."""
        self.questions[Question(kind, "", None)] = None
        return self._world.every(kind)


def _place(stored: Kubernetes) -> str:
    """The order in which an API server lists objects."""
    return f"{stored.namespace}/{stored.name}"


def _is_foreign(stored: Kubernetes | Unknown) -> bool:
    """Whether the object is a ControllerRevision that contains no instancetype and no preference."""
    return isinstance(stored, ControllerRevision) and stored.data is None
