"""Tells of certificates in files what is good about them and what is not."""

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
    """One line about one file."""

    path: Path
    is_good: bool
    text: str

    def __str__(self) -> str:
        return f"{'good' if self.is_good else 'bad '}  {self.path}: {self.text}"


def check(
    paths: Iterable[Path], now: datetime, names: tuple[str, ...] | None = None, authorities: Iterable[Path] = ()
) -> Iterator[Finding]:
    """
    Inspect certificates; the key is looked for beside each (``tls.crt``, ``tls.key``), its authority in ``ca.crt``.

    Of a folder, ``ca.crt`` and ``tls.crt`` are inspected. Raises ``OSError`` for what cannot be read or is not there.
    """
    given = Bundle().union(*(Bundle.parse(_read(path)) for path in authorities))
    for path in _certificates(paths):
        yield _check_file(path, now, names, given)


def _certificates(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = [path / name for name in ("ca.crt", "tls.crt") if (path / name).exists()]
        if not found:
            raise FileNotFoundError(f"{path}: there is neither ca.crt nor tls.crt")
        yield from found


def _check_file(path: Path, now: datetime, names: tuple[str, ...] | None, given: Bundle) -> Finding:
    text = _read(path)
    bundle = Bundle.parse(text)
    key = path.with_suffix(".key")
    if bundle.authorities and not key.exists():
        return _check_bundle(path, bundle, now)
    pair = read_pair(path, key)
    if bundle.authorities and path.name != "tls.crt":
        return _finding(path, inspect_authority(pair, now), now, "signs")
    known = given.union(Bundle.parse(read_pem(path.with_name("ca.crt"))))
    inspection = inspect_leaf(pair, now, names, known.authorities)
    return _finding(path, inspection, now, f"serves {', '.join(map(_printable, inspection.names))}")


def _check_bundle(path: Path, bundle: Bundle, now: datetime) -> Finding:
    valid = [one for one in bundle.authorities if one.is_valid(now)]
    problems = [] if valid else ["no authority in it is valid"]
    problems += [] if bundle.is_tidy else ["there is something in it that is no authority, or one twice"]
    if problems:
        return Finding(path, is_good=False, text="; ".join(problems))
    until = max(one.not_after for one in valid)
    return Finding(path, is_good=True, text=f"trusts {len(valid)} until {until:%Y-%m-%d %H:%M:%S} UTC")


def _finding(path: Path, inspection: Inspection, now: datetime, deed: str) -> Finding:
    if inspection.damage:
        return Finding(path, is_good=False, text="; ".join(_explain(one, inspection) for one in inspection.damage))
    text = f"{deed} until {inspection.not_after:%Y-%m-%d %H:%M:%S} UTC"
    due = "was due" if inspection.is_due(now) else "is due"
    return Finding(path, is_good=True, text=f"{text}; renewal {due} {inspection.renew_after:%Y-%m-%d %H:%M:%S} UTC")


def _explain(damage: Damage, inspection: Inspection) -> str:
    """Add the value that is wrong, where there is one."""
    match damage:
        case Damage.EXPIRED:
            return f"{damage} since {inspection.not_after:%Y-%m-%d %H:%M:%S} UTC"
        case Damage.NOT_YET_VALID:
            return f"{damage}: {inspection.not_before:%Y-%m-%d %H:%M:%S} UTC at the earliest"
        case Damage.WRONG_NAMES:
            return f"{damage}: it has {', '.join(map(_printable, inspection.names)) or 'none'}"
        case _:
            return str(damage)


def _read(path: Path) -> bytes:
    """Read a file that must be there."""
    path.stat()
    return read_pem(path)


def _printable(name: str) -> str:
    """Show a name without the control characters that a hostile certificate may hold."""
    return ascii(name)[1:-1]
