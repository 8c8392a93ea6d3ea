"""
Objects of one kind and name in several files, and the object that a reference resolves to.

A reference resolves to the nearest object: the object in the same file as the reference. If that file has no such object, the
nearest object is in the file with the longest common folder path.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from webhook.objects.meta import Kubernetes

MAX_NAMED = 10
"""The maximum number of other files that a ``Choice`` names."""


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
