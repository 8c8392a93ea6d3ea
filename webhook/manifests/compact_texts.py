"""Many texts, such as paths, which take a small part of the memory of their characters."""

from array import array
from collections.abc import Iterable, Sequence
from typing import overload

_BLOCK = 64
"""Number of texts that are compressed together."""
_LEVEL = 1
"""The fastest level of zlib. Neighbouring paths differ in a few characters, so other levels save little more."""


class CompactTexts(Sequence[str]):
    """Texts without NUL, in order. Reading neighbours one after another is fast."""

    def __init__(self) -> None:
        self._compressed = bytearray()
        self._ends = array("L")
        """The end of each block in ``_compressed``."""
        self._last: list[str] = []
        """The texts that are not compressed yet."""
        self._read: tuple[int, Sequence[str]] = -1, ()
        """The number and the texts of the block that was read last."""

    def __len__(self) -> int:
        return len(self._ends) * _BLOCK + len(self._last)

    def append(self, text: str) -> None:
        """Adds a text."""
        self._last.append(text)
        if len(self._last) == _BLOCK:
            from zlib import compress  # noqa: PLC0415 - few checks have so many texts

            self._compressed += compress("\0".join(self._last).encode("utf-8", "surrogatepass"), _LEVEL)
            self._ends.append(len(self._compressed))
            self._last = []

    def extend(self, texts: Iterable[str]) -> None:
        """Adds texts."""
        for text in texts:
            self.append(text)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        chosen = range(len(self))[number]
        if isinstance(chosen, range):
            return [self[each] for each in chosen]
        block, place = divmod(chosen, _BLOCK)
        if block == len(self._ends):
            return self._last[place]
        if self._read[0] != block:
            self._read = block, self._block(block)
        return self._read[1][place]

    def _block(self, number: int) -> list[str]:
        from zlib import decompress  # noqa: PLC0415 - few checks have so many texts

        start = self._ends[number - 1] if number else 0
        with memoryview(self._compressed)[start : self._ends[number]] as block:
            return decompress(block).decode("utf-8", "surrogatepass").split("\0")
