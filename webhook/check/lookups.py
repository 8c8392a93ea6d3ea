"""
Records of lookups: the files that looked up an object, and the lookups that other processes do not know yet.

Lookups with a name are exact while they are few. When there are many, names are replaced by 32 bits of their hashes. Another name
with the same bits then only makes a check judge a file again, or give an object to a process that does not need it.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from webhook.objects.meta import Kubernetes

if TYPE_CHECKING:
    from webhook.manifests.hash_index import HashIndex

Lookup: TypeAlias = tuple[type[Kubernetes], str | None]
"""A kind and a name, in any namespace. A lookup without a name covers all objects of the kind."""
Keys: TypeAlias = "dict[type[Kubernetes], array[int]]"
"""Keys of names (``key_of``), by kind. All processes of a check have the same hash function, because they are forks."""
MOST_EXACT = 4_000
"""Number of lookups with a name that are kept exactly."""
_FEW = 8
"""
Lookups of at most this many files are in the index. Thousands of files can look up the same StorageClass or instancetype. The
time to add them to an index, under one hash, would grow with the square of their number.
"""


def key_of(digest: int) -> int:
    """The last 32 bits of the hash of a name, which are not 0, as in ``HashIndex``."""
    return digest & 0xFFFF_FFFF or 1


class Users:
    """The numbers of the files that looked up objects."""

    def __init__(self) -> None:
        self._exact: defaultdict[Lookup, list[int]] = defaultdict(list)
        self._named: dict[type[Kubernetes], HashIndex] = {}
        self._shared: dict[Lookup, array[int]] = {}
        """Lookups by many files."""
        self._unnamed: dict[frozenset[type[Kubernetes]], array[int]] = {}
        """The files that looked up all objects of some kinds. Most files share a few sets of kinds."""

    def add(self, lookups: Iterable[Lookup], number: int) -> None:
        """Records the lookups of a file."""
        kinds: set[type[Kubernetes]] = set()
        for lookup in lookups:
            kind, name = lookup
            if name is None:
                kinds.add(kind)
            else:
                self._exact[lookup].append(number)
        if kinds:
            self._unnamed.setdefault(frozenset(kinds), array("I")).append(number)
        if len(self._exact) > MOST_EXACT:
            self._compact()

    def of(self, kind: type[Kubernetes], name: str) -> Iterator[int]:
        """
        The files that looked up an object of this name, or all objects of the kind. May yield other files, and a file twice.

        Removes most of these lookups, so the caller must judge each file again and add its lookups again.
        """
        lookup = kind, name
        yield from self._exact.pop(lookup, ())
        yield from self._shared.pop(lookup, ())
        for kinds in [kinds for kinds in self._unnamed if kind in kinds]:
            yield from self._unnamed.pop(kinds)  # these files look up the other kinds when they are judged again
        if kind in self._named:
            yield from self._named[kind].find(hash(name))

    def clear(self) -> None:
        """Forgets all lookups."""
        self._exact.clear()
        self._named.clear()
        self._shared.clear()
        self._unnamed.clear()

    def _compact(self) -> None:
        from webhook.manifests.hash_index import HashIndex  # noqa: PLC0415 - few checks have many lookups

        for lookup, numbers in self._exact.items():
            kind, name = lookup
            if len(numbers) > _FEW or lookup in self._shared:
                self._shared.setdefault(lookup, array("I")).extend(numbers)
            else:
                index = self._named.setdefault(kind, HashIndex(is_small=True))
                for number in numbers:
                    index.add(hash(name), number)
        self._exact.clear()


class Stated(msgspec.Struct):
    """Lookups for other processes: the kinds of which every object was looked up, and keys of names."""

    every: set[type[Kubernetes]]
    names: Keys


class Unstated:
    """The lookups of a process since it last stated them. A lookup can be stated more than once."""

    def __init__(self) -> None:
        self._stated: set[Lookup] = set()
        self._new: set[Lookup] = set()
        self._compacted = Stated(set(), {})

    def add(self, lookups: set[Lookup]) -> set[Lookup]:
        """Adds lookups. Returns those that are new."""
        new = lookups - self._stated
        self._stated |= new
        self._new |= new
        if len(self._stated) > MOST_EXACT:
            self._compact()
            self._stated.clear()
        return new

    def state(self) -> Stated:
        """The lookups since the last call."""
        self._compact()
        stated, self._compacted = self._compacted, Stated(set(), {})
        return stated

    def clear(self) -> None:
        """Leaves the lookups that were added before to another process."""
        self._stated.clear()
        self._new.clear()
        self._compacted = Stated(set(), {})

    def _compact(self) -> None:
        for kind, name in self._new:
            if name is None:
                self._compacted.every.add(kind)
            else:
                self._compacted.names.setdefault(kind, array("I")).append(key_of(hash(name)))
        self._new.clear()
