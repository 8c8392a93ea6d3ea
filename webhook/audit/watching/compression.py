"""
Compresses many similar texts. The first text is the dictionary of all others.

The JSON of one VM differs from that of another in few places, so it takes 150 bytes instead of 1,000. This module does no I/O.
"""

import zlib
from typing import Final

_MOST_BYTES: Final = 2**15
"""zlib looks back no further."""


class Compression:
    """Compresses and expands texts. One thread at a time compresses, and any thread expands."""

    def __init__(self) -> None:
        self._dictionary: bytes | None = None

    def compress(self, text: bytes) -> bytes:
        """Returns the compressed text. Equal texts have equal results."""
        if self._dictionary is None:
            self._dictionary = text[:_MOST_BYTES]
        compressor = zlib.compressobj(zdict=self._dictionary)
        return compressor.compress(text) + compressor.flush()

    def expand(self, compressed: bytes) -> bytes:
        """Returns the text that was compressed."""
        return zlib.decompressobj(zdict=self._dictionary or b"").decompress(compressed)
