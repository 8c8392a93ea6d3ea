"""certs.dev: afterwards the folder has valid certificates, whatever was in it before."""

from __future__ import annotations

import multiprocessing
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import dev
from certs.bundle import Bundle
from certs.inspection import inspect_authority, inspect_leaf
from tests.certs.world import NOW

FILES = ("ca.crt", "ca.key", "tls.crt", "tls.key")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def is_good(folder: Path, now: datetime, names: tuple[str, ...] = dev.NAMES) -> bool:
    """Whether both pairs are good and belong together."""
    authority = dev.read_pair(folder / "ca.crt", folder / "ca.key")
    leaf = dev.read_pair(folder / "tls.crt", folder / "tls.key")
    known = Bundle.parse(authority.certificate).authorities
    return inspect_authority(authority, now).is_good and inspect_leaf(leaf, now, names, known).is_good


def test_four_files_are_created_in_an_empty_folder(tmp_path: Path) -> None:
    """
    The folder is made; keys are for their owner alone; nothing else is left behind.
    """
    files = dev.ensure(tmp_path / "dev" / "certs", NOW)

    assert files.made == ("authority", "leaf")
    assert tuple(contents(files.folder)) == FILES
    assert is_good(files.folder, NOW)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (files.key, files.authority_key)} == {0o600}
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


def test_good_certificates_are_reused(tmp_path: Path) -> None:
    """
    A second run changes no byte.
    """
    dev.ensure(tmp_path, NOW)
    before = contents(tmp_path)

    files = dev.ensure(tmp_path, NOW + timedelta(days=4))

    assert files.made == ()
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("later", "made"),
    [
        (timedelta(days=5), ("leaf",)),
        (timedelta(days=250), ("authority", "leaf")),
        (timedelta(days=400), ("authority", "leaf")),
        (timedelta(days=-1), ("authority", "leaf")),
    ],
)
def test_certificates_that_are_due_are_renewed(tmp_path: Path, later: timedelta, made: tuple[str, ...]) -> None:
    """
    Two thirds of its life, its end, or a clock set back: each makes what it has to and no more.
    """
    dev.ensure(tmp_path, NOW)

    files = dev.ensure(tmp_path, NOW + later)

    assert files.made == made
    assert is_good(tmp_path, NOW + later)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, b"", b"junk", b"-----BEGIN CERTIFICATE-----\nMII", b"x" * (1 << 20)])
def test_a_missing_or_invalid_file_is_replaced(tmp_path: Path, name: str, content: bytes | None) -> None:
    """
    Whichever file is missing, empty, junk, half or huge: all four belong together again.
    """
    dev.ensure(tmp_path, NOW)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)

    files = dev.ensure(tmp_path, NOW)

    assert files.made == (("authority", "leaf") if name.startswith("ca") else ("leaf",))
    assert is_good(tmp_path, NOW)


def test_additional_names_change_only_the_leaf(tmp_path: Path) -> None:
    """
    An authority that clients already trust stays the same when a name is added.
    """
    dev.ensure(tmp_path, NOW)

    files = dev.ensure(tmp_path, NOW, ("migratable.test", "0:0::1"))

    assert files.made == ("leaf",)
    assert is_good(tmp_path, NOW, (*dev.NAMES, "migratable.test"))
    assert dev.ensure(tmp_path, NOW, ("migratable.test",)).made == ()


def test_a_key_with_wide_permissions_is_restricted(tmp_path: Path) -> None:
    """
    Permissions that were widened by a copy are narrowed again.
    """
    files = dev.ensure(tmp_path, NOW)
    files.key.chmod(0o644)

    dev.ensure(tmp_path, NOW)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_failed_write_leaves_only_the_old_file(tmp_path: Path) -> None:
    """
    A name that cannot be replaced (here: a folder) is an ``OSError``, and no temporary file stays.
    """
    (tmp_path / "tls.crt").mkdir()

    with pytest.raises(OSError, match=r"."):
        dev.write_file(tmp_path / "tls.crt", b"new", 0o644)

    assert [path.name for path in tmp_path.iterdir()] == ["tls.crt"]


def _ensure(folder: Path) -> None:
    dev.ensure(folder, datetime.now(UTC))


def test_concurrent_runs_leave_matching_pairs(tmp_path: Path) -> None:
    """
    Four processes that begin in an empty folder at once leave one authority and one leaf of it.
    """
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_ensure, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * 4
    assert tuple(contents(tmp_path)) == FILES
    assert is_good(tmp_path, datetime.now(UTC))
