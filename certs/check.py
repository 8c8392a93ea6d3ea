"""Checks certificates in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from certs.bundle import Bundle
from certs.dev import read_pair, read_pem
from certs.inspection import Damage, Inspection, inspect_authority, inspect_leaf


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one file. The text of a result has one line."""

    path: Path
    is_good: bool
    text: str

    def __str__(self) -> str:
        return f"{'good' if self.is_good else 'bad '}  {self.path}: {self.text}"


def check(
    paths: Iterable[Path], now: datetime, names: tuple[str, ...] | None = None, authorities: Iterable[Path] = ()
) -> Iterator[Finding]:
    """
    Checks certificate files. The key is read from the same path with suffix ``.key``, and the CA from ``ca.crt`` in the same
    folder.

    If a path is a folder, checks ``ca.crt`` and ``tls.crt`` in it. Raises ``OSError`` for a missing or unreadable file.
    """
    trusted = Bundle().union(*(Bundle.parse(_read(path)) for path in authorities))
    for path in _certificates(paths):
        yield _check_file(path, now, names, trusted)


def _certificates(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        certificates = [path / name for name in ("ca.crt", "tls.crt") if (path / name).exists()]
        if not certificates:
            raise FileNotFoundError(f"{path}: no ca.crt and no tls.crt in this folder")
        yield from certificates


def _check_file(path: Path, now: datetime, names: tuple[str, ...] | None, trusted: Bundle) -> Finding:
    text = _read(path)
    bundle = Bundle.parse(text)
    key = path.with_suffix(".key")
    if bundle.authorities and not key.exists():
        return _check_bundle(path, bundle, now)
    pair = read_pair(path, key)
    if bundle.authorities and path.name != "tls.crt":
        return _finding(path, inspect_authority(pair, now), now, "signs")
    known = trusted.union(Bundle.parse(read_pem(path.with_name("ca.crt"))))
    inspection = inspect_leaf(pair, now, names, known.authorities)
    return _finding(path, inspection, now, f"serves {', '.join(map(_printable, inspection.names))}")


def _check_bundle(path: Path, bundle: Bundle, now: datetime) -> Finding:
    valid = [authority for authority in bundle.authorities if authority.is_valid(now)]
    problems = [] if valid else ["it contains no valid CA"]
    problems += [] if bundle.is_canonical else ["it contains text other than CA certificates, or a duplicate CA"]
    if problems:
        return Finding(path, is_good=False, text="; ".join(problems))
    until = max(authority.not_after for authority in valid)
    return Finding(
        path,
        is_good=True,
        text=f"trusts {len(valid)} {'CA' if len(valid) == 1 else 'CAs'} until {until:%Y-%m-%d %H:%M:%S} UTC",
    )


def _finding(path: Path, inspection: Inspection, now: datetime, purpose: str) -> Finding:
    if inspection.damage:
        return Finding(
            path, is_good=False, text="; ".join(_explain(damage, inspection) for damage in inspection.damage)
        )
    text = f"{purpose} until {inspection.not_after:%Y-%m-%d %H:%M:%S} UTC"
    due = "was due" if inspection.is_due(now) else "is due"
    return Finding(path, is_good=True, text=f"{text}; renewal {due} {inspection.renew_after:%Y-%m-%d %H:%M:%S} UTC")


def _explain(damage: Damage, inspection: Inspection) -> str:
    """Describes the defect, with the wrong value if there is one."""
    match damage:
        case Damage.EXPIRED:
            return f"{damage} since {inspection.not_after:%Y-%m-%d %H:%M:%S} UTC"
        case Damage.NOT_YET_VALID:
            return f"{damage}: valid from {inspection.not_before:%Y-%m-%d %H:%M:%S} UTC"
        case Damage.WRONG_NAMES:
            return f"{damage}: its names are {', '.join(map(_printable, inspection.names)) or 'empty'}"
        case _:
            return str(damage)


def _read(path: Path) -> bytes:
    """Reads a file that must exist."""
    path.stat()
    return read_pem(path)


def _printable(name: str) -> str:
    """Escapes control characters, which a hostile certificate can contain."""
    return ascii(name)[1:-1]
