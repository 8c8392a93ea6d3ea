"""
The temporary file of a large check.

The file has no name, so it disappears with the process, and only this process can read it. It contains parts of the report, and
the objects that other files may look up. It never contains the text of a manifest (docs/decisions/0039).
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webhook.errors import Unavailable

if TYPE_CHECKING:
    from io import FileIO

MOST_BYTES = 16 << 30
"""Maximum size of the file of one process."""
_LENGTH = 4
"""Bytes for the length of a record."""


class SpillFile:
    """Records in a temporary file, by their offsets. The file is created when the first record is written."""

    def __init__(self) -> None:
        self._file: FileIO | None = None
        self._end = 0

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, records: Iterable[bytes]) -> list[int]:
        """Writes records, and returns the offset of each. Raises Unavailable if the disk does not take them."""
        offsets, content = [], bytearray()
        for record in records:
            offsets.append(self._end + len(content))
            content += len(record).to_bytes(_LENGTH, "little") + record
        if not content:
            return offsets
        if self._end + len(content) > MOST_BYTES:
            raise _unavailable(f"larger than {MOST_BYTES >> 30} GiB")
        try:
            self._write(content)
        except OSError as error:
            raise _unavailable(error.strerror or "cannot be written") from None
        return offsets

    def read(self, offset: int) -> bytes:
        """The record at an offset. Raises Unavailable if it cannot be read."""
        assert self._file is not None  # noqa: S101 - the offset is from ``append``
        try:
            length = int.from_bytes(os.pread(self._file.fileno(), _LENGTH, offset), "little")
            record = os.pread(self._file.fileno(), length, offset + _LENGTH)
        except OSError as error:
            raise _unavailable(error.strerror or "cannot be read") from None
        if len(record) != length:
            raise _unavailable("the file was truncated")
        return record

    def _write(self, content: bytearray) -> None:
        if self._file is None:
            from tempfile import TemporaryFile  # noqa: PLC0415 - most checks need no file

            self._file = TemporaryFile(prefix="migratable-", buffering=0)  # noqa: SIM115
        assert self._file is not None  # noqa: S101 - narrows for the type checker
        with memoryview(content) as rest:
            written = 0
            while written < len(rest):
                written += os.pwrite(self._file.fileno(), rest[written:], self._end + written)
        self._end += len(content)


def _unavailable(reason: str) -> Unavailable:
    from tempfile import gettempdir  # noqa: PLC0415 - most checks need no file

    try:
        place = f", in the folder {gettempdir()}"
    except OSError:  # no folder can be written
        place = ""
    return Unavailable(
        f"the temporary file of a large check{place}: {reason}",
        remedy="Free space there, set TMPDIR to another folder, or check fewer files at a time.",
    )
