"""
An index of numbers by hash. A small index needs 12 to 24 bytes for each entry, and other indexes need 24 to 48. A dict of strings
and lists needs several hundred.
"""

from array import array
from collections.abc import Iterator

_SMALLEST = 64
_FREE = 0
"""The key of a free slot. A hash of 0 is stored as 1."""


class HashIndex:
    """
    Numbers by the hash of a name (``hash``). Names with the same hash share their entries, so a user compares the names.

    A small index keeps 32 bits of a hash, and takes numbers below 2³². Open addressing with linear probing. No entry can be
    removed.
    """

    def __init__(self, *, is_small: bool = False) -> None:
        self._count = 0
        self._type = "I" if is_small else "q"
        self._bits = 0xFFFF_FFFF if is_small else -1
        self._make_slots(_SMALLEST)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """All hashes with their numbers, in no order."""
        return ((key, number) for key, number in zip(self._keys, self._numbers, strict=True) if key != _FREE)

    def add(self, key: int, number: int) -> None:
        """Adds a number."""
        if 3 * self._count >= 2 * len(self._keys):
            entries = iter(self)  # of the old slots
            self._make_slots(2 * len(self._keys))
            for each in entries:
                self._insert(*each)
        self._insert(key & self._bits or 1, number)
        self._count += 1

    def find(self, key: int) -> list[int]:
        """The numbers of a hash."""
        keys, mask = self._keys, self._mask
        key = key & self._bits or 1
        slot = key & mask
        found: list[int] = []
        while keys[slot] != _FREE:
            if keys[slot] == key:
                found.append(self._numbers[slot])
            slot = (slot + 1) & mask
        return found

    def _make_slots(self, size: int) -> None:
        self._keys = array(self._type, [0]) * size
        self._numbers = array(self._type, [0]) * size
        self._mask = size - 1

    def _insert(self, key: int, number: int) -> None:
        keys, mask = self._keys, self._mask
        slot = key & mask
        while keys[slot] != _FREE:
            slot = (slot + 1) & mask
        keys[slot], self._numbers[slot] = key, number
