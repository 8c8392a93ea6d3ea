"""Writes the files that ``check --fix`` changes: each completely or not at all."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from webhook.errors import BadInput
from webhook.report.printable import escaped


def write_files(contents: Mapping[str, bytes]) -> None:
    """
    Replaces the contents of files. The keys of ``contents`` are paths. Keeps permissions and owner. A hard link is replaced by
    a separate file.

    All new contents are on disk before the first file is replaced, so no file changes if the disk is full or read-only. Raises
    BadInput on failure. The error message names the files that were already written.
    """
    prepared: list[tuple[str, Path, Path]] = []
    written: list[str] = []
    path = ""
    try:
        for path, content in contents.items():
            target = Path(path).resolve()
            prepared.append((path, target, _prepare(target, content)))
        for path, target, temporary in prepared:
            temporary.replace(target)
            written.append(path)
    except OSError as error:
        for _, _, temporary in prepared[len(written) :]:
            _remove(temporary)
        names = ", ".join(map(escaped, written))
        before = f"Files written before: {names}." if names else "No file was changed."
        raise BadInput(
            f"the fixes cannot be written: {error.strerror}",
            remedy=f"Check the permissions of the file and its folder. {before}",
            source=escaped(path),
        ) from None


def _prepare(target: Path, content: bytes) -> Path:
    """Makes a new file beside ``target``, with the permissions and owner of ``target``."""
    # The existing file is opened for writing first, because it could be replaced even without write permission.
    os.close(os.open(target, os.O_WRONLY | os.O_CLOEXEC))
    descriptor, name = tempfile.mkstemp(prefix=".migratable-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            status = target.stat()
            with suppress(PermissionError):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        _remove(temporary)
        raise
    return temporary


def _remove(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink()
