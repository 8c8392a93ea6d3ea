"""The command line where its streams are closed or full, where it is stopped, and where its words contradict each other."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import PLAIN, ROOT, Ran, migratable
from webhook.surfaces.cli import run_check
from webhook.surfaces.cli.fixing import diff


def shell(command: str, folder: Path) -> Ran:
    """What ``sh -c`` makes of it, where ``migratable`` is the program."""
    env = {key: value for key, value in PLAIN.items() if value is not None} | {"PYTHONPATH": str(ROOT)}
    program = f"{shlex.quote(sys.executable)} -m webhook"
    ran = subprocess.run(
        ["/bin/sh", "-c", command.replace("migratable", program)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=120,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vm.yaml").write_text(BAD)
    return tmp_path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["check vm.yaml", "rules"])
def test_a_full_disk_is_an_error_and_no_finding(folder: Path, command: str) -> None:
    """
    An answer that cannot be written ends with status 2 and one line that says why.
    """
    ran = shell(f"migratable {command} > /dev/full", folder)

    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("error: standard output cannot be written: No space left on device. ")


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("migratable check vm.yaml >&-", 1, ""),
        ("migratable check vm.yaml 2>&-", 1, "2 denied, 1 unproven in 1 object"),
        ("migratable check - <&-", 2, "error: stdin: standard input is empty."),
    ],
)
def test_closed_streams_change_nothing_but_what_is_seen(folder: Path, command: str, status: int, told: str) -> None:
    """
    Without a stream the verdict and its status are the same, and there is no traceback.
    """
    ran = shell(command, folder)

    assert (ran.status, "Traceback" in ran.err) == (status, False)
    assert told in ran.out + ran.err


def test_ctrl_c_is_no_finding(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Who stops a check gets status 130, as from other programs, and not the status of findings.
    """

    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_check, "_run", stopped)

    ran = migratable("check", "vm.yaml", cwd=folder)

    assert (ran.status, ran.out, ran.err) == (130, "", "\nstopped\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek", "vm.yaml"], "Did you mean 'check'?"),
        (["vm.yaml"], "Did you mean `check vm.yaml`?"),
        (["x"], "there are check, completion"),
    ],
)
def test_a_word_that_is_no_command_is_told_with_what_was_meant(folder: Path, words: list[str], told: str) -> None:
    """
    A misspelt command, and a file without ``check``, are told with what to write.
    """
    ran = migratable(*words, cwd=folder)

    assert ran.status == 2
    assert told in ran.err


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        (["--fix", "--diff"], "Give one of --fix and --diff"),
        (["--diff", "--options"], "Give one of --diff and --options"),
        (["--choose", "LM101=1"], "--choose is for --fix and --diff"),
        (["--options", "--choose", "LM101=1"], "--choose is for --fix and --diff"),
        (["--diff", "--write-baseline"], "--diff prints patches and nothing else: leave out --write-baseline."),
        (["--options", "-o", "json=a.json"], "--options prints patches and nothing else: leave out --output."),
    ],
)
def test_switches_that_exclude_each_other_are_refused(folder: Path, switches: list[str], told: str) -> None:
    """
    Nothing that was asked for is left out in silence: --fix with --diff wrote files, though --diff says it writes nothing.
    """
    before = (folder / "vm.yaml").read_bytes()

    ran = migratable("check", "vm.yaml", *switches, cwd=folder)

    assert (ran.status, ran.out) == (2, "")
    assert told in " ".join(ran.err.split())
    assert (folder / "vm.yaml").read_bytes() == before


@pytest.mark.parametrize("mark", ["\r", "\u2028", "\x85", "\x0c"])
def test_a_patch_has_the_lines_that_patch_sees(mark: str) -> None:
    """
    Only a line feed ends a line of a patch, whatever else YAML or Python take for the end of one.
    """
    before = f"# one{mark}two\n{GOOD}"

    lines = diff("vm.yaml", before.encode(), before.replace("good", "better").encode()).split("\n")

    assert f" # one{mark}two" in lines
    assert {line[:1] for line in lines[2:-1]} == {"@", " ", "+", "-"}
