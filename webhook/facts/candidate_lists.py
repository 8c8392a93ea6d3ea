"""
The lists of all objects of a kind. For each file, such a list has the objects that are nearest to the file.

The lists of most files are equal, so that an index of a list can be used for many files.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from webhook.facts.candidates import Candidate, Candidates, Tie, Viewer
from webhook.objects.meta import Kubernetes

R = TypeVar("R")

_MOST_RESULTS: Final = 16
"""The number of results that are kept, because each of them can be as long as the input."""


class CandidateLists(Generic[R]):
    """
    The objects of a kind, sorted by name and namespace. An object is contested if files contain different objects of its
    namespace and name.
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
