"""``--stdin-filename``, ``--quiet``, ``--statistics``, ``--version``, and lists with commas."""

import json
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from tests.surfaces.running import migratable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"bad": BAD, "good": GOOD, "unproven": UNPROVEN}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "notes.yaml").write_text("words: 1\n")
    (tmp_path / ".git").mkdir()
    return tmp_path


def rules_of(out: str) -> set[str]:
    return {finding["rule"] for judged in json.loads(out)["objects"] for finding in judged["findings"]}


@pytest.mark.parametrize("words", [["--only", "LM101,LM302"], ["--only", "LM101, LM302"], ["--only=LM101,gpu"]])
def test_only_accepts_a_list(folder: Path, words: list[str]) -> None:
    """
    Commas separate rules, as does a repeated option.
    """
    ran = migratable("check", "bad.yaml", "-o", "json", *words, cwd=folder)

    assert rules_of(ran.out) == {"LM101", "LM302"}
    assert rules_of(migratable("check", "bad.yaml", "-o", "json", "--skip", "LM1,LM3", cwd=folder).out) == set()


def test_an_unknown_rule_in_a_list_is_a_usage_error(folder: Path) -> None:
    """
    The message names the rule, not the list.
    """
    ran = migratable("check", "bad.yaml", "--only", "LM101,LM1O2", cwd=folder)

    assert ran.status == 2
    assert "Unknown rule 'LM1O2'" in ran.err


def test_standard_input_has_the_name_that_an_editor_gives(folder: Path) -> None:
    """
    The name is in findings, in SARIF with fixes, and in errors. The configuration is that near the file.
    """
    (folder / "vms").mkdir()
    (folder / "vms" / "migratable.yaml").write_text("skip: [LM302]\n")
    words = ("check", "-", "--stdin-filename", "vms/new.yaml")
    text = BAD.replace("spec:\n", "spec:\n  evictionStrategy: livemigrate\n", 1)

    concise = migratable(*words, "-o", "concise", cwd=folder, stdin=text)
    (run,) = json.loads(migratable(*words, "-o", "sarif", cwd=folder, stdin=text).out)["runs"]
    broken = migratable(*words, cwd=folder, stdin="a: [\n")

    assert concise.out
    assert all(line.startswith("vms/new.yaml:") for line in concise.out.splitlines())
    assert "LM302" not in concise.out
    assert any(result.get("fixes") for result in run["results"])
    assert broken.err.startswith("error: vms/new.yaml:2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bad.yaml", "--stdin-filename", "a.yaml"], "--stdin-filename needs standard input"),
        (["bad.yaml", "-q", "-v"], "Use only one of --quiet and --verbose"),
        (["bad.yaml", "--statistics", "-o", "json"], "--statistics changes only the text output"),
    ],
)
def test_an_option_without_effect_is_a_usage_error(folder: Path, words: list[str], message: str) -> None:
    """
    The message says what is missing.
    """
    ran = migratable("check", *words, cwd=folder)

    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err


def test_quiet_prints_findings_and_nothing_else(folder: Path) -> None:
    """
    There are no notes, hints or summary. A clean run prints nothing. Errors are still printed.
    """
    loud = migratable("check", "-R", ".", cwd=folder)
    quiet = migratable("check", "-R", ".", "-q", cwd=folder)
    clean = migratable("check", "good.yaml", "-q", cwd=folder)
    missing = migratable("check", "missing.yaml", "-q", cwd=folder)

    assert loud.out.startswith(quiet.out.rstrip("\n"))
    assert "note: 1 file is not a Kubernetes manifest" in loud.err
    assert (quiet.status, quiet.err) == (1, "")
    assert "deny LM101" in quiet.out
    assert " in 3 objects" in loud.out
    assert " in 3 objects" not in quiet.out
    assert (clean.status, clean.out, clean.err) == (0, "", "")
    assert (missing.status, missing.err.count("error:")) == (2, 1)


def test_quiet_does_not_list_the_baseline(folder: Path) -> None:
    """
    Known findings are not new.
    """
    migratable("check", "bad.yaml", "--write-baseline", "--baseline", "known.json", cwd=folder)

    ran = migratable("check", "bad.yaml", "--baseline", "known.json", "-q", cwd=folder)

    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_statistics_count_the_findings_of_each_rule(folder: Path) -> None:
    """
    The most frequent rule comes first; the last line is the summary.
    """
    (folder / "more.yaml").write_text(BAD.replace("name: bad", "name: more"))
    words = ("bad.yaml", "more.yaml", "unproven.yaml")

    ran = migratable("check", *words, "--only", "LM101,LM2", "--statistics", cwd=folder)

    *lines, summary = ran.out.splitlines()
    assert lines[0] == "2  LM101 bridge-on-pod-network: 2 deny"
    assert "1  LM201 claim-not-shared: 1 unproven" in lines
    assert summary == "2 denied, 1 unproven in 3 objects"
    assert ran.status == 1


def test_the_version_is_an_option_and_a_command() -> None:
    """
    Both print the same.
    """
    option, command = migratable("--version"), migratable("version")

    assert (option.status, option.out) == (0, command.out)
