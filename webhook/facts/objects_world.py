"""A world whose objects are in memory, from manifests, a snapshot or examples. A snapshot has the objects of a cluster."""

from collections.abc import Iterable, Mapping, Sequence
from posixpath import join, normpath
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from webhook.facts.candidates import Candidate, CandidateLists, Candidates, Tie, Viewer
from webhook.facts.unknown import ABSENT, Ambiguous, Fact, Found, NotGiven, Unknown
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)


class Snapshot(msgspec.Struct, frozen=True):
    """The objects of a cluster in a snapshot file, and the kinds for which the snapshot contains all objects."""

    objects: tuple[Kubernetes, ...] = ()
    complete: frozenset[type[Kubernetes]] = frozenset()
    unread: Mapping[type[Kubernetes], str] = {}
    """The classes that could not be read, each with the reason."""


NO_SNAPSHOT = Snapshot()


class Choice(msgspec.Struct, frozen=True):
    """The choice between files that contain different objects of the same kind and name."""

    kind: str
    namespace: str
    name: str
    source: str
    """The file of the nearest object (empty if different objects are equally near)."""
    others: tuple[str, ...]
    """
    Other files with an object of this kind and name, or two files if different objects are equally near. There can be more
    files.
    """


_EveryResult: TypeAlias = tuple[Fact[tuple[Kubernetes, ...]], Sequence[Choice]]


class _NamedObjects(Protocol):
    """The objects of one kind by name, such as a dict."""

    def __len__(self) -> int: ...
    def __setitem__(self, name: str, entry: Candidate | Candidates, /) -> None: ...
    def get(self, name: str, /) -> Candidate | Candidates | None:
        """The objects of this name, or None."""

    def items(self) -> Iterable[tuple[str, Candidate | Candidates]]:
        """All names with their objects."""


class ObjectsWorld:
    """
    Looks up objects that belong to a file, and objects that belong to no file, such as the objects of a snapshot.

    Objects that belong to a file have precedence. If files contain different objects of the same name, a lookup returns the
    nearest object (see ``candidates``). A missing object is ABSENT if its kind is in ``complete``, which means that this world
    contains all objects of the kind. Otherwise a missing object is Unknown.
    """

    def __init__(
        self, objects: Iterable[Kubernetes], complete: Iterable[type[Kubernetes]] = (), folder: str = "/"
    ) -> None:
        """
        Adds ``objects``, which belong to no file. ``folder`` is the working directory, to which the names of files are
        relative.
        """
        self._complete = frozenset(complete)
        self._folder = folder
        self._unplaced: dict[type[Kubernetes], dict[tuple[str, str], Kubernetes]] = {}
        self._namespaces: dict[type[Kubernetes], dict[str, list[str]]] = {}
        """
        The namespaces of the objects that belong to no file, by name. Filled for a kind at the first lookup without a
        namespace.
        """
        self._placed: dict[type[Kubernetes], _NamedObjects] = {}
        self._unnamed: dict[type[Kubernetes], list[Candidate]] = {}
        self._lists: dict[type[Kubernetes], Fact[tuple[Kubernetes, ...]]] = {}
        """The results of ``every`` that are the same for all files."""
        self._chosen_lists: dict[type[Kubernetes], CandidateLists[_EveryResult]] = {}
        """The results of ``every`` that depend on the file."""
        self._has_choices = False
        self._last = ("", normpath(folder))
        """The last file and its absolute path, which its objects share."""
        for placed in objects:
            self._unplaced.setdefault(type(placed), {})[_key(type(placed), placed.namespace, placed.name)] = placed

    def add(self, added: Kubernetes, source: str = "", *, is_reference: bool = False) -> None:
        """Adds an object of the file ``source``."""
        kind = type(added)
        candidate = Candidate(added, source, self._path(source), is_reference)
        self._lists.pop(kind, None)
        self._chosen_lists.pop(kind, None)
        namespace, name = _identity(kind, added.namespace, added.meta.name or "")
        if not name:
            self._unnamed.setdefault(kind, []).append(candidate)
            return
        objects = self._placed.setdefault(kind, {})
        known = objects.get(name)
        if known is None:
            objects[name] = candidate
            return
        if isinstance(known, Candidate):
            known = objects[name] = Candidates(known, _namespace(kind, known.object))
        known.add(candidate, namespace)
        self._has_choices = self._has_choices or known.has_choices

    def seen_from(self, source: str, judged: Kubernetes | None = None) -> "ObjectsWorld | View":
        """Returns the world for references in a file."""
        return View(self, Viewer(self._path(source), judged)) if self._has_choices else self

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the object of this name. An empty namespace in the lookup or in the object matches every namespace."""
        return self.find_from(NOWHERE, kind, namespace, name)[0]

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of a kind. Returns Unknown if this world has no object of the kind and such objects might exist."""
        known = self._lists.get(kind)
        return self.every_from(NOWHERE, kind)[0] if known is None else known  # type: ignore[return-value]

    def find_from(self, viewer: Viewer, kind: type[K], namespace: str, name: str) -> tuple[Found[K], Choice | None]:
        """Finds the object for a reference in the file of ``viewer``. Also returns the choice, if there was one."""
        if kind not in self._placed:
            return self._find_unplaced(kind, namespace, name), None
        namespace, name = _identity(kind, namespace, name)
        entry = self._placed[kind].get(name)
        if isinstance(entry, Candidate):
            if not namespace or entry.object.namespace in ("", namespace):
                return entry.object, None  # type: ignore[return-value] # the class is the key
        elif entry is not None:
            nearest, chosen = entry.resolve(namespace, viewer)
            if nearest is not None:
                choice = _choice(kind, namespace, name, nearest, entry) if chosen else None
                found = _ambiguous(kind, name, nearest) if isinstance(nearest, Tie) else nearest.object
                return found, choice  # type: ignore[return-value]
        return self._find_unplaced(kind, namespace, name), None

    def every_from(self, viewer: Viewer, kind: type[K]) -> tuple[Fact[tuple[K, ...]], Sequence[Choice]]:
        """Finds all objects of a kind for a reference in the file of ``viewer``. Also returns the choices."""
        known = self._lists.get(kind)
        if known is not None:
            return known, ()  # type: ignore[return-value] # the class is the key
        lists = self._chosen_lists.get(kind)
        if lists is None:
            lists = self._chosen_lists[kind] = CandidateLists(self._placed.get(kind, _NO_ENTRIES).items())
        nearest = lists.nearest(kind, viewer)
        result = lists.result(nearest, lambda: self._every_of(kind, lists, nearest))
        if not lists.contested:
            self._lists[kind] = result[0]
            self._chosen_lists.pop(kind, None)  # another thread can have removed it
        return result  # type: ignore[return-value]

    def _every_of(
        self, kind: type[Kubernetes], lists: CandidateLists[_EveryResult], nearest: Sequence[Candidate | Tie]
    ) -> _EveryResult:
        """Returns one object of each namespace and name, sorted, and the choices. ``nearest`` are the contested objects."""
        choices = [
            _choice(kind, namespace, name, found, entry)
            for (namespace, name, entry), found in zip(lists.contested, nearest, strict=True)
        ]
        for (_, name, _), found in zip(lists.contested, nearest, strict=True):
            if isinstance(found, Tie):
                return _ambiguous(kind, name, found), choices
        objects = [candidate.object for candidate in lists.with_contested(nearest)]
        unnamed = sorted(self._unnamed.get(kind, ()), key=lambda candidate: candidate.source)
        objects += [candidate.object for candidate in unnamed]
        every: Fact[tuple[Kubernetes, ...]] = (*objects, *self._behind(kind, objects))
        if not every and kind not in self._complete:
            every = Unknown(f"no {_word(kind)} is in the input", f"add the {_word(kind)} manifest to the input")
        return every, choices

    def _behind(self, kind: type[Kubernetes], front: Sequence[Kubernetes]) -> Iterable[Kubernetes]:
        """
        Returns the objects that belong to no file, except objects with the same namespace and name as an object in ``front``.
        """
        unplaced = self._unplaced.get(kind, _NOTHING)
        if not front:
            return unplaced.values()
        hidden = {_identity(kind, shown.namespace, shown.name) for shown in front}
        return [shown for shown in unplaced.values() if _identity(kind, shown.namespace, shown.name) not in hidden]

    def _find_unplaced(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        objects = self._unplaced.get(kind, _NOTHING)
        unplaced = objects.get(_key(kind, namespace, name)) or objects.get(("", name))
        if unplaced is None and not namespace:
            namespaces = self._named(kind).get(name, ())
            unplaced = objects[namespaces[0], name] if len(namespaces) == 1 else None
        if isinstance(unplaced, kind):
            return unplaced
        if kind in self._complete:
            return ABSENT
        word = _word(kind)
        return NotGiven(f"{word} {name!r} is not in the input", f"add the manifest of {word} {name!r} to the input")

    def _named(self, kind: type[Kubernetes]) -> Mapping[str, Sequence[str]]:
        """Returns the namespaces of the objects that belong to no file, by name."""
        known = self._namespaces.get(kind)
        if known is None:
            known = self._namespaces[kind] = {}
            for namespace, name in self._unplaced.get(kind, _NOTHING):
                known.setdefault(name, []).append(namespace)
        return known

    def _path(self, source: str) -> str:
        if self._last[0] != source:
            path = normpath(join(self._folder, source))
            self._last = source, source if path == source else path
        return self._last[1]


class View:
    """An ``ObjectsWorld`` for the references in one file. ``choices`` contains the choices of its lookups."""

    def __init__(self, world: ObjectsWorld, viewer: Viewer) -> None:
        self._world = world
        self._viewer = viewer
        self._choices: dict[tuple[str, str, str], Choice] = {}

    @property
    def choices(self) -> Sequence[Choice]:
        """The choices of the lookups, sorted."""
        return [self._choices[key] for key in sorted(self._choices)]

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the nearest object of this name."""
        found, choice = self._world.find_from(self._viewer, kind, namespace, name)
        if choice is not None:
            self._choices[choice.kind, choice.namespace, choice.name] = choice
        return found

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all objects of a kind. Of several objects with the same name, returns only the nearest object."""
        found, choices = self._world.every_from(self._viewer, kind)
        for choice in choices:
            self._choices[choice.kind, choice.namespace, choice.name] = choice
        return found


WORDS: Mapping[str, str] = {
    "PersistentVolumeClaim": "PVC",
    "KubeVirt": "KubeVirt CR",
    "HyperConverged": "HyperConverged CR",
}
NOWHERE = Viewer()
_NOTHING: Mapping[tuple[str, str], Kubernetes] = {}
_NO_ENTRIES: Mapping[str, Candidate | Candidates] = {}
ONE_IN_A_CLUSTER: tuple[type[Kubernetes], ...] = (KubeVirt, HyperConverged)
_THE_CLUSTERS_OWN = "the cluster's own"


def _word(kind: type[Kubernetes]) -> str:
    return WORDS.get(kind.__name__, kind.__name__)


def _choice(kind: type[Kubernetes], namespace: str, name: str, nearest: Candidate | Tie, entry: Candidates) -> Choice:
    if isinstance(nearest, Tie):
        return Choice(kind.__name__, namespace, name, "", nearest.sources)
    return Choice(
        kind.__name__, namespace or _namespace(kind, nearest.object), name, nearest.source, entry.others(nearest.source)
    )


def _ambiguous(kind: type[Kubernetes], name: str, tie: Tie) -> Ambiguous:
    what = _word(kind) if kind in ONE_IN_A_CLUSTER else f"{_word(kind)} {name!r}"
    if len(tie.sources) == 1:
        return Ambiguous(f"{tie.sources[0]} contains different objects for {what}", "keep only one of these objects")
    first, second = tie.sources
    return Ambiguous(
        f"{first} and {second} contain different objects for {what}, and neither file is nearer",
        "move the right object to the folder of this file, or check each environment separately",
    )


def _namespace(kind: type[Kubernetes], placed: Kubernetes) -> str:
    return _identity(kind, placed.namespace, "")[0]


def _identity(kind: type[Kubernetes], namespace: str, name: str) -> tuple[str, str]:
    """Returns the namespace and name. A cluster has one KubeVirt CR, so all KubeVirt CRs have the same identity."""
    return ("", _THE_CLUSTERS_OWN) if kind in ONE_IN_A_CLUSTER else _key(kind, namespace, name)


def _key(kind: type[Kubernetes], namespace: str, name: str) -> tuple[str, str]:
    known = BY_CLASS.get(kind)
    return (namespace if known is None or known.namespaced else "", name)
