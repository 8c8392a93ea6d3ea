"""The configuration file: where it is found, its origins, and what overrides it."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from tests.surfaces.manifests import BAD, CLAIM, UNPROVEN
from tests.surfaces.running import ROOT, migratable
from webhook.surfaces.cli.configuration import Config, find

BESIDE = "next to the checked files"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "vms" / "web").mkdir(parents=True)
    (tmp_path / "vms" / "web" / "vm.yaml").write_text(BAD)
    (tmp_path / "migratable.yaml").write_text("profile: exact\nskip: [LM101]\nrules:\n  gpu: warn\n")
    return tmp_path


def test_the_nearest_file_applies_and_a_note_names_it(repository: Path) -> None:
    """
    The note says that the file is next to the manifests (threat T34).
    """
    ran = migratable("check", "vms/web", cwd=repository)

    assert ran.status == 0
    assert "LM101" not in ran.out
    assert "warn LM302" in ran.out
    assert f"settings come from migratable.yaml, {BESIDE}" in ran.err


def test_a_nearer_file_replaces_a_farther_one(repository: Path) -> None:
    """
    Files are not merged: only the nearest applies.
    """
    (repository / "vms" / "migratable.yaml").write_text("strict: true\n")

    assert migratable("check", "vms/web", cwd=repository).status == 1


def test_no_file_beyond_the_repository_is_read(repository: Path) -> None:
    """
    A file above the folder with .git does not apply.
    """
    inner = repository / "vms"
    (inner / ".git").mkdir()

    ran = migratable("check", "web", cwd=inner)

    assert (ran.status, ran.err) == (1, "")


def test_pyproject_is_read_if_it_has_the_table(repository: Path) -> None:
    """
    ``[tool.migratable]`` has the same keys, with hyphens. A pyproject.toml without it is skipped.
    """
    (repository / "vms" / "pyproject.toml").write_text("[project]\nname = 'other'  # no tool.migratable here\n")
    (repository / "vms" / "web" / "pyproject.toml").write_text(
        "[tool.migratable]\nfail-on = 'never'\n[[tool.migratable.exemptions]]\n"
        "rule = 'gpu'\nreason = 'needs it'\nowner = 'me'\nuntil = 2999-01-31\n"
    )

    near = migratable("check", "vms/web", cwd=repository)
    (repository / "vms" / "web" / "pyproject.toml").unlink()
    far = migratable("check", "vms/web", cwd=repository)

    assert near.status == 0
    assert "exempted until 2999-01-31 by me: needs it" in near.out
    assert "settings come from migratable.yaml" in far.err


def test_isolated_runs_use_no_file_and_pinned_ones_the_named(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    ``--isolated`` uses no file; ``--config`` names one outside the manifests.
    """
    pinned = tmp_path_factory.mktemp("base") / "pinned.yaml"
    pinned.write_text("skip: [LM1, LM3]\n")

    isolated = migratable("check", "--isolated", "vms/web", cwd=repository)
    named = migratable("check", "--config", pinned, "vms/web", cwd=repository)

    assert (isolated.status, isolated.err) == (1, "")
    assert (named.status, named.err) == (0, "")


def test_the_settings_in_use_are_shown_with_their_origin(repository: Path) -> None:
    """
    ``--show-config`` shows the origin of each value: file and line, command line, or default.
    """
    ran = migratable("check", "--show-config", "--release", "1.8", "--skip", "LM5", "vms", cwd=repository)

    assert ran.out == (
        "policy: null  # default\n"
        "profile: exact  # migratable.yaml:1\n"
        "exemptions: []  # default\n"
        "only: []  # default\n"
        "skip:  # command line and migratable.yaml\n  - LM101\n  - LM5\n"
        "rules:  # migratable.yaml:3\n  gpu: warn\n"
        "snapshot: null  # default\n"
        "baseline: null  # default\n"
        'release: "1.8"  # command line\n'
        "failOn: deny  # default\n"
        "strict: false  # default\n"
        "requireMatch: false  # default\n"
        "facts: []  # default\n"
        "ignore: []  # default\n"
        "gitignore: true  # default\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profil: exact\n", "migratable.yaml:1: profil: unknown setting. Did you mean 'profile'?"),
        (
            "strict: true\nfailOn: fatal\n",
            "migratable.yaml:2: failOn: invalid value 'fatal'. Write one of deny, warn, never.",
        ),
        ("strict: maybe\n", "migratable.yaml:1: strict: expected a boolean, got a string. Correct the value."),
        ("skip: [LM2O1]\n", "migratable.yaml:1: skip: unknown rule 'LM2O1' (did you mean LM201?)"),
        ("rules: {claim-not-shard: off}\n", "rule 'claim-not-shard' (did you mean claim-not-shared?)"),
        (
            "rules: {gpu: deni}\n",
            "migratable.yaml:1: rules.gpu: invalid value 'deni'. Write one of deny, warn, audit, off.",
        ),
        ("a: 1\n---\nb: 1\n", "migratable.yaml has 2 documents"),
        ("a: [\n", "migratable.yaml:2:"),
        ("- a\n", "migratable.yaml:1: expected a mapping, got a list. Write settings"),
        ("exemptions: [{rule: gpu, reason: x, owner: me, until: tomorrow}]\n", "exemptions[0].until"),
        (
            "exemptions: [{rule: gpu, reason: '', owner: me, until: '2999-01-01'}]\n",
            "exemptions[0].reason: must not be empty",
        ),
    ],
)
def test_an_error_in_the_file_names_the_line(repository: Path, text: str, message: str) -> None:
    """
    An unknown key, an invalid value and an unknown rule give status 2, the line and a suggestion.
    """
    (repository / "migratable.yaml").write_text(text)

    ran = migratable("check", "vms/web", cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("flags", "reported"),
    [
        ([], {"LM101", "LM302"}),
        (["--only", "gpu"], {"LM302"}),
        (["--only", "lm1"], {"LM101"}),
        (["--skip", "LM3"], {"LM101"}),
        (["--only", "LM1", "--only", "LM3", "--skip", "bridge-on-pod-network"], {"LM302"}),
        (["--only", "LM1", "--rule", "LM302=warn"], {"LM101", "LM302"}),
    ],
)
def test_rules_are_chosen_by_id_name_or_family(repository: Path, flags: list[str], reported: set[str]) -> None:
    """
    ``--only`` and ``--skip`` take ids in any case, names, and the first digits of ids.
    """
    ran = migratable("check", "--isolated", "vms/web", "-o", "github", *flags, cwd=repository)

    assert {word for word in ("LM101", "LM302") if word in ran.out} == reported


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--only", "brigde-on-pod-network"], "did you mean bridge-on-pod-network?"),
        (["--rule", "LM201"], "write RULE=ACTION"),
        (["--rule", "LM999=off"], "Unknown rule 'LM999' (families: LM1 for network, LM2 for storage, "),
        (["--skip", "LM9"], "Unknown rule 'LM9' (families: LM1 for network, LM2 for storage, LM3 for devices, "),
        (["--only", "lm29"], "8 for manifest hygiene). Run `migratable rules` for the list."),
    ],
)
def test_unknown_rules_are_usage_errors(repository: Path, flags: list[str], message: str) -> None:
    """
    The error has a suggestion.
    """
    ran = migratable("check", "--isolated", "vms/web", *flags, cwd=repository)

    assert (ran.status, message in " ".join(ran.err.split())) == (2, True)


def test_the_command_line_overrides_a_policy_for_a_namespace(repository: Path) -> None:
    """
    ``--rule`` also applies in a namespace for which the policy denies the rule.
    """
    (repository / "policy.yaml").write_text("namespaces: [{names: [tenant], actions: {LM302: deny, LM101: 'off'}}]\n")

    ran = migratable("check", "--isolated", "--policy", "policy.yaml", "--rule", "gpu=audit", "vms/web", cwd=repository)

    assert ran.status == 0
    assert "audit LM302" in ran.out


def test_paths_in_the_file_are_relative_to_the_file(repository: Path) -> None:
    """
    ``facts`` and ``policy`` are found from any working folder.
    """
    (repository / "cluster.yaml").write_text(CLAIM)
    (repository / "migratable.yaml").write_text("facts: [cluster.yaml]\nstrict: true\n")
    (repository / "vms" / "web" / "vm.yaml").write_text(UNPROVEN)

    assert migratable("check", "vm.yaml", cwd=repository / "vms" / "web").status == 0


def test_facts_that_cannot_be_read_are_an_error(repository: Path) -> None:
    """
    A missing file of facts is not skipped, because results would be unproven.
    """
    ran = migratable("check", "--isolated", "--facts", "missing.yaml", "vms/web", cwd=repository)

    assert (ran.status, ran.err) == (2, "error: missing.yaml: no such file or folder. Check the path.\n")


def test_the_published_schema_agrees_with_the_program(repository: Path) -> None:
    """
    Both accept and refuse the same files.
    """
    schema = json.loads((ROOT / "docs" / "schemas" / "migratable.yaml.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)

    assert schema == msgspec.json.schema(Config)
    assert validator.is_valid({"profile": "exact", "failOn": "warn", "skip": ["LM1"], "rules": {"gpu": "off"}})
    assert not validator.is_valid({"profil": "exact"})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("release: 1.8", "release: expected a string, got a number. Quote the value."),
        ("only: LM101", "only: expected a list, got a string. Write a list: [one, other]."),
        ("only: [LM1O1]", "only: unknown rule 'LM1O1' (did you mean LM101?). Run `migratable rules` for the list."),
        ("skip: [LM1O1]", "skip: unknown rule 'LM1O1' (did you mean LM101?). Run `migratable rules` for the list."),
        (
            "rules: {LM1O1: off}",
            "rules: unknown rule 'LM1O1' (did you mean LM101?). Run `migratable rules` for the list.",
        ),
        (
            "rules: {LM101: off, gpu: wran}",
            "rules.gpu: invalid value 'wran'. Write one of deny, warn, audit, off.",
        ),
        ("profile: strickt", "profile: invalid value 'strickt'. Write one of strict, exact."),
    ],
)
def test_an_invalid_setting_gives_file_line_key_and_remedy(tmp_path: Path, written: str, message: str) -> None:
    """
    The message is plain text without terms of the parser.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    (tmp_path / "migratable.yaml").write_text(f"strict: true\n{written}\n")

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    assert (ran.status, ran.err) == (2, f"error: migratable.yaml:2: {message}\n")


def test_an_unknown_rule_on_the_command_line_is_a_usage_error(repository: Path) -> None:
    """
    The error does not name the configuration file.
    """
    ran = migratable("check", "vms", "--skip", "LM1O1", cwd=repository)

    assert ran.status == 2
    assert "Error: Unknown rule 'LM1O1' (did you mean LM101?)" in ran.err


def test_an_unreadable_folder_does_not_hide_settings_above_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The search continues in the parent folder.
    """
    real = os.stat

    def refusing(path: Any, *args: Any, **named: Any) -> os.stat_result:
        if isinstance(path, str | os.PathLike) and f"{os.sep}web{os.sep}" in os.fspath(path):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path, *args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", refusing)
        loaded = find([str(repository / "vms" / "web" / "vm.yaml")])

    assert loaded.path is not None
    assert loaded.path.name == "migratable.yaml"


@pytest.mark.parametrize("setting", ['policy = "\\u0000"', 'facts = ["a", "\\u0000"]', 'baseline = "a\\u0000"'])
def test_nul_in_a_file_name_is_an_error(tmp_path: Path, setting: str) -> None:
    """
    TOML can spell NUL. The error names the key.
    """
    (tmp_path / "pyproject.toml").write_text(f"[tool.migratable]\n{setting}\n")
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    key = setting.split(maxsplit=1)[0]
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: pyproject.toml: {key}: NUL character in a file name. Write a file name without NUL characters.\n"
    )
