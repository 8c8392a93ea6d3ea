"""The reader of plain command lines against click, and mistakes where click was not asked."""

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
    """What click makes of them; None where it refuses them or prints something else."""
    try:
        return dict(command.make_context("check", list(words)).params)
    except (click.UsageError, click.exceptions.Exit):
        return None


@given(st.lists(WORDS, max_size=6))
def test_a_plain_command_line_means_what_click_makes_of_it(words: list[str]) -> None:
    """
    Whatever is typed: what is read without click is what click reads, and click reads all that it would refuse.
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
def test_what_people_write_is_plain(words: list[str]) -> None:
    """
    The usual command lines are read without click, and as click reads them.
    """
    read = read_plain(["check", *words])

    assert read is not None
    assert read == by_click(words)


@pytest.mark.parametrize(
    "words",
    [["rules"], [], ["check", "--help"], ["check", "--policy", "absent"], ["check", "--profile", "x"], ["--help"]],
)
def test_help_mistakes_and_other_commands_are_clicks(words: list[str]) -> None:
    """
    What is no plain check is left to click.
    """
    assert read_plain(words) is None


def test_completion_is_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A shell that asks for completions of a plain command line gets click's answer.
    """
    monkeypatch.setenv("_MIGRATABLE_COMPLETE", "bash_complete")
    monkeypatch.setattr("sys.argv", ["migratable"])

    assert read_plain(["check", "vm.yaml"]) is None


@pytest.mark.parametrize("route", [["--only", "nonsense"], ["--only=nonsense", "-vR"]])
def test_a_mistake_is_told_in_the_same_words_on_both_ways(tmp_path: Path, route: list[str]) -> None:
    """
    How ``check`` is used, where its help is, and what is wrong: whoever finds the mistake.
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
