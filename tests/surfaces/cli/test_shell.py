"""The command line in a shell: completion, the manual page, and kubectl's plugin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver.binaries import find_binary
from tests.surfaces.manifests import BAD
from tests.surfaces.running import PLAIN, ROOT, migratable
from webhook.__main__ import program
from webhook.rules.register import RULES
from webhook.surfaces.cli.main import COMMANDS
from webhook.surfaces.cli.manual import page

MANUAL = ROOT / "docs" / "man" / "migratable.1"


HOST_DEVICES = [rule for rule in RULES if rule.id.startswith("LM30")]


def script(folder: Path, name: str, function: str = "script") -> Path:
    """What pip writes for an entry point."""
    path = folder / name
    path.write_text(
        f"#!{sys.executable}\nimport sys\nfrom webhook.__main__ import {function}\nsys.exit({function}())\n"
    )
    path.chmod(0o755)
    return path


def environment(folder: Path) -> dict[str, str]:
    plain = {key: value for key, value in PLAIN.items() if value is not None}
    return {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(folder), **plain}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    """
    ``completion`` prints a script for the shell that is named; another shell is a usage error.
    """
    ran = migratable("completion", shell)

    assert ran.status == 0
    assert f"_MIGRATABLE_COMPLETE={shell}_complete" in ran.out
    assert migratable("completion", "csh").status == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["migratable", "expl"], ["explain", "explain-settings"]),
        (["migratable", "explain", "bridge-on"], ["bridge-on-pod-network"]),
        (
            ["migratable", "check", "--only", "LM20"],
            ["LM201", "LM202", "LM203", "LM204", "LM205", "LM206", "LM207", "LM208", "LM209"],
        ),
        (["migratable", "check", "--fail-on", "w"], ["warn"]),
        (["migratable", "check", "--skip", "LM101,LM30"], sorted(f"LM101,{rule.id}" for rule in HOST_DEVICES)),
        (["migratable", "check", "-o", "s"], ["sarif"]),
        (["migratable", "check", "-o", "g"], ["github", "gitlab"]),
        (["migratable", "check", "--release", "an"], ["any"]),
        (["migratable", "check", "--release", "1.9"], ["1.9"]),
        (["migratable", "check", "--write"], ["--write-baseline"]),
    ],
)
def test_bash_completes_commands_options_and_rules(tmp_path: Path, words: list[str], completed: list[str]) -> None:
    """
    In a real bash that has sourced the script, words are completed, also the ids and names of rules.
    """
    script(tmp_path, "migratable")
    quoted = " ".join(f"'{word}'" for word in words)
    commands = (
        f"source <(migratable completion bash); COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
        '_migratable_completion migratable; printf "%s\\n" "${COMPREPLY[@]}"'
    )

    ran = subprocess.run(
        ["bash", "-c", commands], capture_output=True, check=True, text=True, env=environment(tmp_path), cwd=tmp_path
    )

    assert sorted(ran.stdout.split()) == completed


def test_the_manual_page_has_all_commands_and_options() -> None:
    """
    The page in the repository equals the generated one.
    """
    assert MANUAL.read_text(encoding="utf-8") == page(program())
    plain = page(program()).replace("\\-", "-")
    for name in COMMANDS:
        command = program().get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert f".SS migratable {name} " in plain
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[-1] in plain


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_manual_page_is_roff() -> None:
    """
    groff formats it without a warning.
    """
    ran = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", str(MANUAL)], capture_output=True, check=True, text=True
    )

    assert ran.stderr == ""


@pytest.mark.apiserver
def test_kubectl_finds_the_plugin(tmp_path: Path) -> None:
    """
    ``kubectl migratable`` runs the check; help and errors call the program so.
    """
    script(tmp_path, "kubectl-migratable")
    (tmp_path / "vm.yaml").write_text(BAD)
    kubectl = str(find_binary("kubectl"))

    ran = subprocess.run(
        [kubectl, "migratable", "check", "--isolated", "vm.yaml"],
        capture_output=True,
        check=False,
        text=True,
        env=environment(tmp_path),
        cwd=tmp_path,
    )
    wrong = subprocess.run(
        [kubectl, "migratable", "frobnicate"],
        capture_output=True,
        check=False,
        text=True,
        env=environment(tmp_path),
        cwd=tmp_path,
    )

    assert (ran.returncode, "LM101" in ran.stdout) == (1, True)
    assert wrong.returncode == 2
    assert "Usage: kubectl migratable" in wrong.stderr


@pytest.mark.apiserver
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["check", "--fail-on", "w"], ["warn", ":4"]),
        (["check", "-o", "gith"], ["github", ":4"]),
        (["explain", "bridge-on"], ["bridge-on-pod-network", ":4"]),
        (["compl"], ["completion", ":4"]),
        (["check", "--config", "a"], [":0"]),
    ],
)
def test_kubectl_completes_the_plugin(tmp_path: Path, words: list[str], completed: list[str]) -> None:
    """
    kubectl runs ``kubectl_complete-migratable`` for the words after ``migratable``.
    """
    script(tmp_path, "kubectl-migratable")
    script(tmp_path, "kubectl_complete-migratable", "complete")

    ran = subprocess.run(
        [str(find_binary("kubectl")), "__complete", "migratable", *words],
        capture_output=True,
        check=False,
        text=True,
        env=environment(tmp_path),
        cwd=tmp_path,
    )

    assert [line.partition("\t")[0] for line in ran.stdout.splitlines()] == completed
