"""The command line with closed or full streams, interrupts, and contradicting options."""

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
from webhook.surfaces.cli.patches import diff


def shell(command: str, folder: Path) -> Ran:
    """The result of ``sh -c``, with ``migratable`` as a command."""
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
    A report that cannot be written gives status 2 and one line with the reason.
    """
    ran = shell(f"migratable {command} > /dev/full", folder)

    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("error: cannot write to standard output: No space left on device. ")


@pytest.mark.parametrize("buffering", ["", "PYTHONUNBUFFERED=1 "])
@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("to", ["-o {form} > out", "-o {form}=out"])
def test_a_disk_that_has_room_for_a_part_of_a_report_is_an_error(
    folder: Path, buffering: str, form: str, to: str
) -> None:
    """
    A limit on the size of files has the effect of a full disk: the first write is cut short, and only the next one fails.
    """
    (folder / "vm.yaml").write_text("---\n".join([BAD] * 100))

    no_bytecode = "PYTHONDONTWRITEBYTECODE=1"  # Python would cut it to the same size, and not notice
    ran = shell(f"ulimit -f 1; {no_bytecode} {buffering}migratable check vm.yaml {to.format(form=form)}", folder)

    assert (folder / "out").stat().st_size in (512, 1024)
    assert ran.status == 2
    assert ran.err.startswith("error: cannot write ")
    assert ran.err.endswith(": File too large. Free disk space, or write to another place.\n")


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("migratable check vm.yaml >&-", 1, ""),
        ("migratable check vm.yaml 2>&-", 1, "2 denied, 1 unproven in 1 object"),
        ("migratable check - <&-", 2, "error: stdin: standard input is empty."),
    ],
)
def test_closed_streams_do_not_change_the_status(folder: Path, command: str, status: int, message: str) -> None:
    """
    The verdict is the same, and there is no traceback.
    """
    ran = shell(command, folder)

    assert (ran.status, "Traceback" in ran.err) == (status, False)
    assert message in ran.out + ran.err


def test_ctrl_c_gives_130(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It does not give the status of findings.
    """

    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_check, "_run", stopped)

    ran = migratable("check", "vm.yaml", cwd=folder)

    assert (ran.status, ran.out, ran.err) == (130, "", "\nstopped\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_empty_report_needs_no_space(folder: Path) -> None:
    """
    A full disk is not an error if there is nothing to write.
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
def test_any_encoding_of_the_terminal_works(folder: Path, settings: dict[str, str], form: str) -> None:
    """
    Machine formats are UTF-8. In text, characters that the encoding lacks are escaped.
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


def test_absolute_paths_work_in_a_deleted_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    The current folder is not needed for them.
    """
    gone = tmp_path_factory.mktemp("gone")

    ran = shell(f"cd {gone} && rmdir {gone} && migratable check {folder / 'vm.yaml'}", folder)

    assert (ran.status, ran.err) == (1, "")
    assert "LM101" in ran.out


def test_a_deleted_folder_cannot_be_checked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """
    A relative path has no meaning in it.
    """
    gone = tmp_path_factory.mktemp("gone")

    ran = shell(f"cd {gone} && rmdir {gone} && migratable check .", folder)

    assert ran == Ran(2, "", "error: the current folder was removed. Change to a folder that exists.\n")


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
    ("module", "name", "status", "message"),
    [("options", "read_plain", -signal.SIGINT, ""), ("run_check", "add_expiry_notes", 130, "\nstopped\n")],
    ids=["while it starts", "while it works"],
)
def test_ctrl_c_ends_it_at_any_moment(folder: Path, module: str, name: str, status: int, message: str) -> None:
    """
    There is no traceback. During start-up the signal ends the process; later the status is 130.
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

    assert (ran.returncode, ran.stderr) == (status, message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chek", "vm.yaml"], "Did you mean 'check'?"),
        (["vm.yaml"], "Did you mean `check vm.yaml`?"),
        (["x"], "Commands: audit, check, completion"),
    ],
)
def test_an_unknown_command_gives_a_suggestion(folder: Path, words: list[str], message: str) -> None:
    """
    Also for a file name without ``check``.
    """
    ran = migratable(*words, cwd=folder)

    assert ran.status == 2
    assert message in ran.err


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        (["--fix", "--diff"], "Use only one of --fix and --diff"),
        (["--diff", "--options"], "Use only one of --diff and --options"),
        (["--choose", "LM101=1"], "--choose needs --fix or --diff"),
        (["--options", "--choose", "LM101=1"], "--choose needs --fix or --diff"),
        (["--diff", "--write-baseline"], "--diff prints only patches. Remove --write-baseline."),
        (["--options", "-o", "json=a.json"], "--options prints only patches. Remove --output."),
    ],
)
def test_switches_that_exclude_each_other_are_refused(folder: Path, switches: list[str], message: str) -> None:
    """
    No option is silently ignored: --fix once won over --diff, which promises to write nothing.
    """
    before = (folder / "vm.yaml").read_bytes()

    ran = migratable("check", "vm.yaml", *switches, cwd=folder)

    assert (ran.status, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())
    assert (folder / "vm.yaml").read_bytes() == before


@pytest.mark.parametrize("mark", ["\r", "\u2028", "\x85", "\x0c"])
def test_a_patch_splits_lines_only_at_line_feeds(mark: str) -> None:
    """
    YAML and Python also know other line ends.
    """
    before = f"# one{mark}two\n{GOOD}"

    lines = diff("vm.yaml", before.encode(), before.replace("good", "better").encode()).split("\n")

    assert f" # one{mark}two" in lines
    assert {line[:1] for line in lines[2:-1]} == {"@", " ", "+", "-"}
