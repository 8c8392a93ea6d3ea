"""The reader of plain command lines agrees with click, and usage errors look the same."""

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable
from webhook.surfaces.cli.check import command
from webhook.surfaces.cli.options import OPTIONS, read_plain

NAMES = [name for option in OPTIONS for name in option.names]
VALUES = [
    "vm.yaml",
    "-",
    "text",
    "json",
    "deny",
    "warn",
    "never",
    "strict",
    "exact",
    "LM101",
    "1.9",
    "=",
    "a=b",
    "",
    "auto",
]
WORDS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(VALUES),
    st.builds("{}={}".format, st.sampled_from(NAMES), st.sampled_from(VALUES)),
    st.sampled_from(["--", "-h", "--help", "-Rv", "-ojson", "--rec", "--no-strict", "--recursive=", "---", "-x"]),
    st.text(max_size=3),
)


def by_click(words: list[str]) -> dict[str, object] | None:
    """The options as click reads them. None if click refuses them or prints something else."""
    try:
        return dict(command.make_context("check", list(words)).params)
    except (click.UsageError, click.exceptions.Exit):
        return None


@given(st.lists(WORDS, max_size=6))
def test_both_readers_agree(words: list[str]) -> None:
    """
    The plain reader gives the same options as click, or leaves the command line to click.
    """
    read = read_plain(["check", *words])

    assert read is None or read == by_click(words)


@pytest.mark.parametrize(
    "words",
    [
        ["vm.yaml"],
        ["-"],
        ["-R", "a", "b", "-f", "c"],
        ["a", "-o", "json", "-o", "sarif=out", "--release=1.9", "--strict", "--rule", "LM101=warn", "--rule=LM2=off"],
        ["--profile", "exact", "--fail-on=never", "--color", "always", "-v", "a"],
        ["--config", __file__, "a", "--policy", __file__],
        [],
    ],
)
def test_the_usual_command_lines_are_read_without_click(words: list[str]) -> None:
    """
    The options are the same as those of click.
    """
    read = read_plain(["check", *words])

    assert read is not None
    assert read == by_click(words)


@pytest.mark.parametrize(
    "words",
    [["rules"], [], ["check", "--help"], ["check", "--policy", "absent"], ["check", "--profile", "x"], ["--help"]],
)
def test_help_errors_and_other_commands_are_left_to_click(words: list[str]) -> None:
    """
    The plain reader gives None.
    """
    assert read_plain(words) is None


def test_completion_is_left_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The plain reader gives None if the completion variable is set.
    """
    monkeypatch.setenv("_MIGRATABLE_COMPLETE", "bash_complete")
    monkeypatch.setattr("sys.argv", ["migratable"])

    assert read_plain(["check", "vm.yaml"]) is None


@pytest.mark.parametrize("route", [["--only", "nonsense"], ["--only=nonsense", "-vR"]])
def test_a_usage_error_looks_the_same_from_both_readers(tmp_path: Path, route: list[str]) -> None:
    """
    Usage, a hint to the help, and the error.
    """
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = migratable("check", "vm.yaml", *route, cwd=tmp_path)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[:3] == [
        "Usage: migratable check [OPTIONS] [PATH|-]...",
        "Try 'migratable check --help' for help.",
        "",
    ]
    assert "Unknown rule 'nonsense'" in ran.err
