"""Local certificates: a CA and a serving certificate (leaf) in a folder, which are reused until their renewal is due."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from certs.authority import MAX_PEM_BYTES, CertificateAuthority, KeyPair, canonical_names
from certs.bundle import Bundle
from certs.inspection import inspect_authority, inspect_leaf

FOLDER: Final = Path("dev/certs")
NAMES: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class DevelopmentCertificates:
    """The four files, and the names of the pairs that were just created."""

    folder: Path
    made: tuple[str, ...] = ()
    """The pairs that were created and not reused: ``authority``, ``leaf``, both or none."""

    @property
    def authority(self) -> Path:
        """The CA certificate, which clients must trust."""
        return self.folder / "ca.crt"

    @property
    def authority_key(self) -> Path:
        """The key of the CA, in a file that only its owner can read."""
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        """The serving certificate."""
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        """The key of the serving certificate, in a file that only its owner can read."""
        return self.folder / "tls.key"


def ensure(folder: Path, now: datetime, names: Iterable[str] = ()) -> DevelopmentCertificates:
    """
    Creates or renews the certificates in the folder, for local names and for ``names``.

    Raises ``OSError`` if the folder is not writable, and ``ValueError`` for an invalid name.
    """
    wanted = canonical_names((*NAMES, *names))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = DevelopmentCertificates(folder)
    with _locked(folder):
        pair = read_pair(files.authority, files.authority_key)
        inspection = inspect_authority(pair, now)
        made = []
        if not inspection.is_good or inspection.is_due(now):
            pair = CertificateAuthority.mint(now).pair
            _write_pair(files.authority, files.authority_key, pair)
            made.append("authority")
        leaf = read_pair(files.certificate, files.key)
        inspection = inspect_leaf(leaf, now, wanted, Bundle.parse(pair.certificate).authorities)
        if not inspection.is_good or inspection.is_due(now):
            _write_pair(files.certificate, files.key, CertificateAuthority.load(pair).sign(wanted, now))
            made.append("leaf")
        for key in (files.authority_key, files.key):
            key.chmod(0o600)
    return DevelopmentCertificates(folder, tuple(made))


def read_pair(certificate: Path, key: Path) -> KeyPair:
    """Reads a certificate file and a key file, each as :func:`read_pem` does."""
    return KeyPair(read_pem(certificate), read_pem(key))


def read_pem(path: Path) -> bytes:
    """Reads a file up to one byte past the limit of the parser. Returns empty bytes for a missing file."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES + 1)
    except FileNotFoundError:
        return b""


def write_file(path: Path, content: bytes, mode: int) -> None:
    """Writes a file atomically by rename: readers see the old or the new content."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _write_pair(certificate: Path, key: Path, pair: KeyPair) -> None:
    write_file(key, pair.key, 0o600)
    write_file(certificate, pair.certificate, 0o644)
    folder = os.open(certificate.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks the folder. Without this lock, two processes could write a certificate and a key that do not match."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
