"""The command line where its streams are closed or full, where it is stopped, and where its words contradict each other."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import PLAIN, ROOT, Ran, migratable
from webhook.surfaces.cli import run_check
from webhook.surfaces.cli.fix import diff


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
    assert ran.err.startswith("error: cannot write to standard output: No space left on device. ")


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_empty_answer_can_be_written_anywhere(folder: Path) -> None:
    """
    Where there is nothing to say, a full disk is no error.
    """
    (folder / "vm.yaml").write_text(GOOD)

    assert shell("migratable check --diff vm.yaml > /dev/full", folder).status == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda item: " ".join(item.values()),
)
@pytest.mark.parametrize("form", ["text", "json", "yaml", "sarif", "markdown"])
def test_any_encoding_of_the_terminal_takes_the_answer(folder: Path, settings: dict[str, str], form: str) -> None:
    """
    What is for machines is UTF-8 whatever the terminal's encoding; in text, characters that there are none for are escaped.
    """
    (folder / "vm.yaml").rename(folder / "vm\u2603\u00fc.yaml")

    ran = subprocess.run(
        [sys.executable, "-m", "webhook", "check", ".", "-o", form],
        cwd=folder,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin", **settings},
        timeout=120,
    )

    assert (ran.returncode, ran.stderr) == (1, b"")
    assert b"LM101" in ran.stdout
    if form in ("json", "sarif"):
        json.loads(ran.stdout)  # UTF-8, or it would not be read


def test_a_deleted_folder_keeps_no_file_from_being_checked(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Where the current folder is gone, files with a whole path are checked.
    """
    gone = tmp_path_factory.mktemp("gone")

    ran = shell(f"cd {gone} && rmdir {gone} && migratable check {folder / 'vm.yaml'}", folder)

    assert (ran.status, ran.err) == (1, "")
    assert "LM101" in ran.out


def test_a_file_that_is_called_dash_is_a_file(folder: Path) -> None:
    """
    ``./-`` is the file; ``-`` is standard input.
    """
    (folder / "-").write_text(BAD)

    ran = migratable("check", "./-", cwd=folder)

    assert (ran.status, "./-:" in ran.out) == (1, True)


STOPPED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
from webhook.__main__ import main
from webhook.surfaces.cli import {module}
def stop(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
{module}.{name} = stop
sys.argv = ["migratable", "check", "vm.yaml"]
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "status", "told"),
    [("options", "read_plain", -signal.SIGINT, ""), ("run_check", "add_expiry_notes", 130, "\nstopped\n")],
    ids=["while it starts", "while it works"],
)
def test_ctrl_c_ends_it_at_any_moment(folder: Path, module: str, name: str, status: int, told: str) -> None:
    """
    Without a traceback: as the signal ends any program while it starts, with a word and status 130 while it works.
    """
    ran = subprocess.run(
        [sys.executable, "-c", STOPPED.format(module=module, name=name)],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
        timeout=120,
    )

    assert (ran.returncode, ran.stderr) == (status, told)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek", "vm.yaml"], "Did you mean 'check'?"),
        (["vm.yaml"], "Did you mean `check vm.yaml`?"),
        (["x"], "Commands: check, completion"),
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
        (["--fix", "--diff"], "Use only one of --fix and --diff"),
        (["--diff", "--options"], "Use only one of --diff and --options"),
        (["--choose", "LM101=1"], "--choose needs --fix or --diff"),
        (["--options", "--choose", "LM101=1"], "--choose needs --fix or --diff"),
        (["--diff", "--write-baseline"], "--diff prints only patches. Remove --write-baseline."),
        (["--options", "-o", "json=a.json"], "--options prints only patches. Remove --output."),
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
