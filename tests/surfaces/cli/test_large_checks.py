"""Checks of many files, which keep results and objects in a temporary file."""

import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from tests.surfaces.running import Ran, migratable
from webhook.check import lookups, results, spill, stored_objects
from webhook.facts.candidates import Candidate
from webhook.manifests import files
from webhook.manifests.sources import Texts
from webhook.objects.storage import PersistentVolumeClaim
from webhook.surfaces.cli.options import FORMATS

pytestmark = [
    pytest.mark.usefixtures("few_files"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
MISSPELT = """
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: misspelt}
spec:
  domain: {devices: {}}
  volumes: [{name: init, cloudInitNoCloud: {userDta: hunter2}}]
"""
WITH_PASSWORD = """
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: init}
spec:
  running: true
  template:
    spec:
      domain: {devices: {interfaces: [{name: default, bridge: {}}]}}
      networks: [{name: default, pod: {}}]
      volumes: [{name: init, cloudInitNoCloud: {userData: "password: hunter2"}}]
"""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check is large."""
    monkeypatch.setattr(files, "MANY_FILES", 0)
    monkeypatch.setattr(results, "BLOCK", 2)
    monkeypatch.setattr(stored_objects, "MOST_RECENT", 0)
    monkeypatch.setattr(lookups, "MOST_EXACT", 0)
    monkeypatch.setattr(results, "_MOST_DECODED", 1)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What this process writes to the temporary file."""
    written: list[bytes] = []
    append = spill.SpillFile.append

    def recorded(self: spill.SpillFile, records: Iterable[bytes]) -> list[int]:
        records = list(records)
        written.extend(records)
        return append(self, records)

    monkeypatch.setattr(spill.SpillFile, "append", recorded)
    return written


@pytest.fixture
def usual(repository: Path, request: pytest.FixtureRequest) -> tuple[list[str], Ran]:
    """Options, and a run that needs no temporary file."""
    options = list(request.param)
    (repository / "known.yml").touch()
    migratable("check", "apps", "--write-baseline", "--baseline", "known.yml", cwd=repository)
    return options, migratable("check", ".", *options, "--jobs", "1", cwd=repository)


@pytest.mark.parametrize(
    "usual",
    [
        *(["-v", "-o", form] for form in FORMATS),
        ["--options"],
        ["--diff"],
        ["--release", "1.6"],
        ["--statistics"],
        ["--quiet"],
        ["--strict", "--fail-on", "never", "--isolated"],
        ["--facts", "z"],
        ["--baseline", "known.yml"],
        ["--baseline", "known.yml", "-v", "-o", "sarif", "--omit-exempted"],
        ["--no-recursive", "apps/c"],
        ["-o", "sarif", "--relative-to", "."],
        ["-o", "rdjson", "--relative-to", ".."],
    ],
    indirect=True,
    ids=lambda options: " ".join(options) if isinstance(options, list) else str(options),
)
def test_a_temporary_file_changes_no_byte(
    repository: Path, usual: tuple[list[str], Ran], large: None, records: list[bytes]
) -> None:
    """
    Output, notes, errors and exit status are the same in every format, with and without processes.
    """
    options, expected = usual

    ran = [migratable("check", ".", *options, "--jobs", jobs, cwd=repository) for jobs in "13"]

    assert ran == [expected, expected]
    assert records or {"--options", "--diff"} & {*options}


def test_a_baseline_is_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The file that is written does not depend on the size of the check.
    """
    written = []
    for most in (files.MANY_FILES, 0):
        monkeypatch.setattr(files, "MANY_FILES", most)
        migratable("check", ".", "--write-baseline", "--baseline", "known.yml", cwd=repository)
        written.append((repository / "known.yml").read_text())
        (repository / "known.yml").unlink()

    assert written[0] == written[1]


def test_a_fixed_repository_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    ``--fix`` keeps all files in memory.
    """
    ran = []
    for number, most in enumerate((files.MANY_FILES, 0)):
        monkeypatch.setattr(files, "MANY_FILES", most)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "vm.yaml").write_text(BAD.replace("networks:", "netWorks:"))
        ran.append((migratable("check", ".", "--fix", cwd=folder), (folder / "vm.yaml").read_text()))

    assert ran[0] == ran[1]


def test_a_small_check_needs_no_file(repository: Path, records: list[bytes]) -> None:
    """
    A check of few files keeps everything in memory.
    """
    assert migratable("check", ".", cwd=repository).status == 2
    assert records == []


def test_no_secret_of_the_guest_is_written(tmp_path: Path, large: None, records: list[bytes]) -> None:
    """
    The report contains the value of a misspelt field, because the patch tests it.
    """
    (tmp_path / "misspelt.yaml").write_text(MISSPELT)
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text(WITH_PASSWORD.replace("name: init", f"name: vm-{number}", 1))

    ran = migratable("check", ".", "-o", "json", "--jobs", "1", cwd=tmp_path)

    assert "hunter2" in ran.out
    assert any(b"vm-3" in record and b"LM101" in record for record in records), "results"
    assert any(b"vm-3" in record and b"LM101" not in record for record in records), "objects"
    assert not any(b"hunter2" in record for record in records)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_is_an_error(repository: Path, large: None, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    """
    The error names the folder and the remedy.
    """

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)

    ran = migratable("check", ".", "--jobs", jobs, cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: the temporary file of a large check, in the folder {tempfile.gettempdir()}: No space left on device. "
        "Free space there, set TMPDIR to another folder, or check fewer files at a time.\n"
    )


def test_a_missing_folder_is_an_error(repository: Path, large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    No file can be created, so the check ends.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(repository / "absent"))

    ran = migratable("check", ".", "--jobs", "1", cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert f"in the folder {repository}/absent: No such file or directory. Free space" in ran.err


def test_a_computer_without_a_folder_for_temporary_files_is_an_error(
    repository: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The error of the system names the folders.
    """

    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)

    ran = migratable("check", ".", "--jobs", "1", cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(
        "error: the temporary file of a large check: No usable temporary directory found in ['/tmp']. "
    )


def test_the_size_of_the_file_is_bounded(repository: Path, large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A check cannot fill the disk.
    """
    monkeypatch.setattr(spill, "MOST_BYTES", 100)

    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 2
    assert "larger than" in ran.err


@pytest.mark.parametrize("change", [lambda path: path.write_text(GOOD), lambda path: path.unlink()])
def test_a_file_that_changes_has_no_excerpt(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    """
    Its lines are those of another text. A note names the file.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    release = Texts.release

    def released(self: Texts, name: str, path: str) -> None:
        release(self, name, path)
        change(tmp_path / path)

    monkeypatch.setattr(Texts, "release", released)

    ran = migratable("check", ".", cwd=tmp_path)

    assert "deny LM101" in ran.out
    assert " | " not in ran.out
    assert "note: 1 file has changed during the check, so the report shows no excerpts: vm.yaml\n" in ran.err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_cannot_be_read_when_files_are_judged_again_is_an_error(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    """
    The outdated result of the file is not used.
    """
    for number in range(8):
        (tmp_path / f"{number}-vm.yaml").write_text(UNPROVEN)
    (tmp_path / "9-claim.yaml").write_text(CLAIM)
    get = stored_objects.StoredObjects.get

    def unreadable(self: stored_objects.StoredObjects, name: str) -> Any:
        found = get(self, name)
        if isinstance(found, Candidate) and isinstance(found.object, PersistentVolumeClaim):
            raise spill._unavailable("Input/output error")
        return found

    monkeypatch.setattr(stored_objects.StoredObjects, "get", unreadable)

    ran = migratable("check", ".", "--jobs", jobs, cwd=tmp_path)

    assert (ran.status, ran.out) == (2, "")
    assert "Input/output error. Free space there" in ran.err


def test_texts_leave_the_memory_when_files_are_judged_again(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The claim of the VMs is in the last file.
    """
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text(UNPROVEN)
    (tmp_path / "claim.yaml").write_text(CLAIM.replace("ReadWriteMany", "ReadWriteOnce"))
    kept, store = list[int](), Texts.__setitem__

    def stored(self: Texts, name: str, content: bytes) -> None:
        store(self, name, content)
        kept.append(len(self.in_memory))

    monkeypatch.setattr(Texts, "__setitem__", stored)

    ran = migratable("check", ".", "--jobs", "1", cwd=tmp_path)

    assert ran.out.count("deny LM201") == 5
    assert kept == [1] * 11
