"""``check --fix`` writes each file completely or not at all, and names the files that it wrote before an error."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.cli.test_fix import MISSPELT, SPELT
from tests.surfaces.running import ROOT, migratable

FIX = "check", "--isolated", "--fix"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kv.yaml").write_text(MISSPELT)
    return tmp_path


def texts(folder: Path) -> list[str]:
    return [(folder / name / "kv.yaml").read_text() for name in ("a", "b", "c")]


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_nothing_is_written_if_a_file_cannot_be_prepared(
    folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The file before the read-only one stays as it was. No temporary file is left, and the status is 2.
    """
    real = os.open

    def refusing(path: str, flags: int, *rest: int, **named: int) -> int:
        if "/b/" in str(path) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refusing)
    ran = migratable(*FIX, "a/kv.yaml", "b/kv.yaml", "c/kv.yaml", cwd=folder)

    assert ran.status == 2
    assert ran.err == (
        f"error: b/kv.yaml: the fixes cannot be written: {os.strerror(number)}. "
        "Check the permissions of the file and its folder. No file was changed.\n"
    )
    assert texts(folder) == [MISSPELT] * 3
    assert names(folder) == ["a/kv.yaml", "b/kv.yaml", "c/kv.yaml"]


def test_a_busy_file_ends_the_run_and_the_written_files_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A file that is a mount point cannot be replaced. The files before it are written, and those after it are not.
    """
    real = os.replace

    def refusing(old: Path, new: Path) -> None:
        if new.parent.name == "b":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        real(old, new)

    monkeypatch.setattr(os, "replace", refusing)
    ran = migratable(*FIX, "a/kv.yaml", "b/kv.yaml", "c/kv.yaml", cwd=folder)

    assert ran.status == 2
    assert "error: b/kv.yaml: the fixes cannot be written: Device or resource busy." in ran.err
    assert "Files written before: a/kv.yaml." in ran.err
    assert texts(folder) == [SPELT, MISSPELT, MISSPELT]
    assert names(folder) == ["a/kv.yaml", "b/kv.yaml", "c/kv.yaml"]


MOUNT = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@pytest.mark.parametrize("mounted", ["b", "b/kv.yaml"], ids=["folder", "file"])
def test_a_read_only_mount_gives_an_error(folder: Path, mounted: str) -> None:
    """
    A folder or file that is mounted read-only gives an error with its name, and nothing is written.
    """
    unshare = ["unshare", "-rm", "sh", "-c", MOUNT, "sh", mounted]
    if subprocess.run([*unshare, "true"], cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip("this system forbids mounts")
    command = [sys.executable, "-m", "webhook", *FIX, "a/kv.yaml", "b/kv.yaml"]

    ran = subprocess.run(
        [*unshare, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: b/kv.yaml: the fixes cannot be written: Read-only file system.")
    assert texts(folder) == [MISSPELT] * 3


def test_a_hard_link_gets_a_file_of_its_own(folder: Path) -> None:
    """
    The other name keeps the old text: a replaced file is complete at every moment, and a file written in place is not.
    """
    os.link(folder / "a" / "kv.yaml", folder / "other.yaml")

    migratable(*FIX, "a/kv.yaml", cwd=folder)

    assert texts(folder)[0] == SPELT
    assert (folder / "other.yaml").read_text() == MISSPELT
