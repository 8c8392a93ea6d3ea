"""
Objects of one kind and name in several files, the object that a reference resolves to, and the lists of all objects of a kind.

A reference resolves to the nearest object: the object in the same file as the reference. If that file has no such object, the
nearest object is in the file with the longest common folder path.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from webhook.objects.meta import Kubernetes

R = TypeVar("R")

MAX_NAMED = 10
"""The maximum number of other files that a ``Choice`` names."""
_MOST_RESULTS: Final = 16
"""The number of results that ``CandidateLists`` keeps, because each of them can be as long as the input."""


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """An object, its file as the user named it, and the absolute path of that file."""

    object: Kubernetes
    source: str
    path: str
    is_reference: bool
    """
    Whether the file is read only to resolve references. If objects are equally near, an object in a checked file has
    precedence.
    """


class Viewer(msgspec.Struct, frozen=True, gc=False):
    """The absolute path of the file that contains the reference, and the object that is judged."""

    path: str = "/"
    judged: Kubernetes | None = None


class Tie(msgspec.Struct, frozen=True):
    """The two files that contain different, equally near objects, or the single file that contains both objects."""

    sources: tuple[str, ...]


class _Group:
    """The objects with one namespace and name. ``differs`` is true if two of these objects are different."""

    __slots__ = ("_tie", "differs", "first", "members")

    def __init__(self, first: Candidate) -> None:
        self.first = first
        """The object in the first file in alphabetical order, so that the order of files does not change the result."""
        self.members = [first]
        self.differs = False
        self._tie: Tie | None = None

    def add(self, added: Candidate) -> None:
        self.differs = self.differs or added.object != self.first.object
        if added.source < self.first.source:
            self.first = added
        self.members.append(added)
        self._tie = None

    @property
    def tie(self) -> Tie:
        if self._tie is None:
            self._tie = _tie(self.members)
        return self._tie


def _tie(members: Iterable[Candidate]) -> Tie:
    """Returns a Tie of the first two files with different objects, in alphabetical order."""
    ordered = sorted(members, key=lambda member: member.source)
    first = ordered[0]
    other = next(member for member in ordered if member.object != first.object)
    return Tie((first.source,) if other.source == first.source else (first.source, other.source))


def _add(groups: dict[str, _Group], namespace: str, added: Candidate) -> None:
    group = groups.get(namespace)
    if group is None:
        groups[namespace] = _Group(added)
    else:
        group.add(added)


class _Level:
    """
    The objects below one folder, or in one file, by namespace. Objects in checked files are separate from objects in files that
    are read only to resolve references.
    """

    __slots__ = ("checked", "references")

    def __init__(self) -> None:
        self.checked: dict[str, _Group] = {}
        self.references: dict[str, _Group] = {}

    def add(self, added: Candidate, namespace: str) -> None:
        _add(self.references if added.is_reference else self.checked, namespace, added)

    def choose(self, namespace: str, *, exactly: bool, judged: Kubernetes | None = None) -> Candidate | Tie | None:
        """
        Returns the object of this namespace, a Tie for different objects, or None for no object. Equal objects count as one
        object.
        """
        for groups in (self.checked, self.references):
            group = groups.get(namespace) or (None if exactly else groups.get(""))
            if group is None and not namespace and not exactly and groups:
                if len(groups) > 1:
                    return _tie(member for several in groups.values() for member in several.members)
                group = next(iter(groups.values()))
            if group is not None:
                return _only(group, judged)
        return None


def _only(group: _Group, judged: Kubernetes | None) -> Candidate | Tie:
    if not group.differs:
        return group.first
    own = [member for member in group.members if member.object == judged] if judged is not None else []
    return min(own, key=lambda member: member.source) if own else group.tie


class Candidates:
    """All objects of one kind with one name, in any namespace."""

    __slots__ = ("_all", "_levels", "_sources", "namespaces")

    def __init__(self, first: Candidate, namespace: str) -> None:
        self.namespaces: dict[str, _Group] = {}
        self._all: list[tuple[Candidate, str]] = []
        self._levels: dict[str, _Level] | None = None
        """The objects by file path, and by folder path with a final slash. Filled when the first reference has a choice."""
        self._sources: list[str] = []
        self.add(first, namespace)

    def add(self, added: Candidate, namespace: str) -> None:
        """Adds an object."""
        _add(self.namespaces, namespace, added)
        self._all.append((added, namespace))
        if self._levels is not None:
            self._place(self._levels, added, namespace)

    @property
    def has_choices(self) -> bool:
        """Whether a reference might have a choice, because objects differ or have several namespaces."""
        return len(self.namespaces) > 1 or any(group.differs for group in self.namespaces.values())

    def resolve(self, namespace: str, viewer: Viewer, *, exactly: bool = False) -> tuple[Candidate | Tie | None, bool]:
        """
        Returns the nearest object, and whether there was a choice.

        An empty namespace in the reference or in the object matches every namespace, unless ``exactly`` is true.
        """
        groups = self._matching(namespace, exactly=exactly)
        if not groups:
            return None, False
        if len(groups) == 1 and not groups[0].differs:
            return groups[0].first, False
        if self._levels is None:
            self._levels = {}
            for candidate, space in self._all:
                self._place(self._levels, candidate, space)
        for path in _upwards(viewer.path):
            level = self._levels.get(path)
            nearest = level.choose(namespace, exactly=exactly, judged=viewer.judged) if level is not None else None
            if nearest is not None:
                return nearest, True
        return None, False

    def others(self, chosen: str) -> tuple[str, ...]:
        """Returns at most ``MAX_NAMED`` other files with an object of this name."""
        return tuple([source for source in self._sources[: MAX_NAMED + 1] if source != chosen][:MAX_NAMED])

    def _matching(self, namespace: str, *, exactly: bool) -> Sequence[_Group]:
        if not namespace and not exactly:
            return list(self.namespaces.values())
        names = (namespace,) if exactly else (namespace, "")
        return [self.namespaces[name] for name in names if name in self.namespaces]

    def _place(self, levels: dict[str, _Level], added: Candidate, namespace: str) -> None:
        from bisect import bisect_left, insort  # noqa: PLC0415 - few inputs have different objects of one name

        for path in _upwards(added.path):
            levels.setdefault(path, _Level()).add(added, namespace)
        at = bisect_left(self._sources, added.source)
        if self._sources[at : at + 1] != [added.source]:
            insort(self._sources, added.source)


def _upwards(path: str) -> Iterator[str]:
    """Yields the file, its folder, and all parent folders up to the root."""
    yield path
    end = path.rfind("/")
    while end >= 0:
        yield path[: end + 1]
        end = path.rfind("/", 0, end)


class CandidateLists(Generic[R]):
    """
    The objects of a kind, sorted by name and namespace. An object is contested if files contain different objects of its
    namespace and name.

    For each file, the list of all objects has the objects that are nearest to the file. The lists of most files are equal, so
    that an index of a list can be used for many files.
    """

    def __init__(self, placed: Iterable[tuple[str, Candidate | Candidates]]) -> None:
        self.contested: list[tuple[str, str, Candidates]] = []
        """The namespace, the name and the candidates of each contested object."""
        self._members: list[Candidate | None] = []
        """All objects in order, with None for each contested object."""
        self._latest: tuple[Viewer, Sequence[Candidate | Tie]] | None = None
        self._results: dict[tuple[int, ...], R] = {}
        for name, entry in sorted(placed, key=lambda named: named[0]):
            if isinstance(entry, Candidate):
                self._members.append(entry)
                continue
            for namespace, group in sorted(entry.namespaces.items()):
                self._members.append(None if group.differs else group.first)
                if group.differs:
                    self.contested.append((namespace, name, entry))

    def nearest(self, kind: type[Kubernetes], viewer: Viewer) -> Sequence[Candidate | Tie]:
        """The contested objects that are nearest to a file. The objects of one file are usually judged together."""
        if type(viewer.judged) is not kind:
            viewer = Viewer(viewer.path)  # only an object of this kind can be a contested object itself
        if self._latest is not None:
            known, nearest = self._latest
            if known.path == viewer.path and known.judged is viewer.judged:
                return nearest
        found = (entry.resolve(namespace, viewer, exactly=True)[0] for namespace, _, entry in self.contested)
        nearest = [one for one in found if one is not None]
        self._latest = viewer, nearest
        return nearest

    def with_contested(self, nearest: Sequence[Candidate | Tie]) -> Iterator[Candidate]:
        """All objects in order, with these contested objects. Ties are left out."""
        contested = iter(nearest)
        for member in self._members:
            one = next(contested) if member is None else member
            if isinstance(one, Candidate):
                yield one

    def result(self, nearest: Sequence[Candidate | Tie], make: Callable[[], R]) -> R:
        """The result that ``make`` returned for the same contested objects. These exist as long as the lists."""
        key = tuple(map(id, nearest))
        result = self._results.get(key)
        if result is None:
            if len(self._results) >= _MOST_RESULTS:
                self._results.clear()
            result = self._results[key] = make()
        return result
