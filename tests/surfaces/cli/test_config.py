"""Configuration: found upward, shown with its origins, outranked by the command line."""

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


def test_the_nearest_file_upward_holds_and_is_told_of(repository: Path) -> None:
    """
    Settings come from the nearest migratable.yaml; that it lies beside the manifests is said aloud (threat T34).
    """
    ran = migratable("check", "vms/web", cwd=repository)

    assert ran.status == 0
    assert "LM101" not in ran.out
    assert "warn LM302" in ran.out
    assert f"settings come from migratable.yaml, {BESIDE}" in ran.err


def test_a_nearer_file_replaces_a_farther_one(repository: Path) -> None:
    """
    Files are not merged: the nearest one alone holds.
    """
    (repository / "vms" / "migratable.yaml").write_text("strict: true\n")

    assert migratable("check", "vms/web", cwd=repository).status == 1


def test_nothing_beyond_the_repository_is_looked_at(repository: Path) -> None:
    """
    A file above the folder that holds .git belongs to somebody else.
    """
    inner = repository / "vms"
    (inner / ".git").mkdir()

    ran = migratable("check", "web", cwd=inner)

    assert (ran.status, ran.err) == (1, "")


def test_pyproject_is_read_where_it_speaks_of_us(repository: Path) -> None:
    """
    ``[tool.migratable]`` holds the same keys, with hyphens; a pyproject.toml without it is passed over.
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
    ``--isolated`` forgets the file; ``--config`` names another, from where nobody who changes manifests can change it.
    """
    pinned = tmp_path_factory.mktemp("base") / "pinned.yaml"
    pinned.write_text("skip: [LM1, LM3]\n")

    isolated = migratable("check", "--isolated", "vms/web", cwd=repository)
    named = migratable("check", "--config", pinned, "vms/web", cwd=repository)

    assert (isolated.status, isolated.err) == (1, "")
    assert (named.status, named.err) == (0, "")


def test_the_settings_in_force_are_shown_with_their_origin(repository: Path) -> None:
    """
    ``--show-config`` says of each value where it comes from: file and line, command line or default.
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
    )


@pytest.mark.parametrize(
    ("text", "told"),
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
def test_what_is_wrong_in_the_file_is_named_with_its_line(repository: Path, text: str, told: str) -> None:
    """
    An unknown key, a wrong value and a rule that does not exist end with status 2, the line, and what was meant.
    """
    (repository / "migratable.yaml").write_text(text)

    ran = migratable("check", "vms/web", cwd=repository)

    assert (ran.status, ran.out) == (2, "")
    assert told in " ".join(ran.err.split())


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
    ("flags", "told"),
    [
        (["--only", "brigde-on-pod-network"], "did you mean bridge-on-pod-network?"),
        (["--rule", "LM201"], "write RULE=ACTION"),
        (["--rule", "LM999=off"], "Unknown rule 'LM999' (families: LM1 for network, LM2 for storage, "),
        (["--skip", "LM9"], "Unknown rule 'LM9' (families: LM1 for network, LM2 for storage, LM3 for devices, "),
        (["--only", "lm29"], "8 for manifest hygiene). Run `migratable rules` for the list."),
    ],
)
def test_rules_that_do_not_exist_are_usage_errors(repository: Path, flags: list[str], told: str) -> None:
    """
    A misspelt rule would silently judge by the wrong rules; it is refused, with what was meant.
    """
    ran = migratable("check", "--isolated", "vms/web", *flags, cwd=repository)

    assert (ran.status, told in " ".join(ran.err.split())) == (2, True)


def test_the_command_line_outranks_a_policy_for_a_namespace(repository: Path) -> None:
    """
    A policy that denies a rule in one namespace gives way to ``--rule`` there, too.
    """
    (repository / "policy.yaml").write_text("namespaces: [{names: [tenant], actions: {LM302: deny, LM101: 'off'}}]\n")

    ran = migratable("check", "--isolated", "--policy", "policy.yaml", "--rule", "gpu=audit", "vms/web", cwd=repository)

    assert ran.status == 0
    assert "audit LM302" in ran.out


def test_paths_in_the_file_are_beside_the_file(repository: Path) -> None:
    """
    ``facts`` and ``policy`` of a configuration are found wherever the check was started.
    """
    (repository / "cluster.yaml").write_text(CLAIM)
    (repository / "migratable.yaml").write_text("facts: [cluster.yaml]\nstrict: true\n")
    (repository / "vms" / "web" / "vm.yaml").write_text(UNPROVEN)

    assert migratable("check", "vm.yaml", cwd=repository / "vms" / "web").status == 0


def test_facts_that_cannot_be_read_are_an_error(repository: Path) -> None:
    """
    A missing file of facts is not passed over: what it would settle would look unproven.
    """
    ran = migratable("check", "--isolated", "--facts", "missing.yaml", "vms/web", cwd=repository)

    assert (ran.status, ran.err) == (2, "error: missing.yaml: no such file or folder. Check the path.\n")


def test_the_published_schema_is_the_programs_own(repository: Path) -> None:
    """
    What an editor takes for right by the schema the program takes, and a misspelt key neither.
    """
    schema = json.loads((ROOT / "docs" / "schemas" / "migratable.yaml.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)

    assert schema == msgspec.json.schema(Config)
    assert validator.is_valid({"profile": "exact", "failOn": "warn", "skip": ["LM1"], "rules": {"gpu": "off"}})
    assert not validator.is_valid({"profil": "exact"})


@pytest.mark.parametrize(
    ("written", "told"),
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
def test_a_wrong_setting_is_told_with_file_line_key_and_remedy(tmp_path: Path, written: str, told: str) -> None:
    """
    What does not fit in the configuration is told by file, line and key, in words, with what to write.
    """
    (tmp_path / "vm.yaml").write_text(BAD)
    (tmp_path / "migratable.yaml").write_text(f"strict: true\n{written}\n")

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    assert (ran.status, ran.err) == (2, f"error: migratable.yaml:2: {told}\n")


def test_a_wrong_rule_on_the_command_line_is_told_as_an_option(repository: Path) -> None:
    """
    The configuration is not blamed for what the command line says.
    """
    ran = migratable("check", "vms", "--skip", "LM1O1", cwd=repository)

    assert ran.status == 2
    assert "Error: Unknown rule 'LM1O1' (did you mean LM101?)" in ran.err


def test_settings_are_looked_for_beside_a_folder_that_may_not_be_looked_into(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A folder without the right to look into it holds no settings that could be found; those above it hold.
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
def test_a_name_that_no_file_can_have_is_told(tmp_path: Path, setting: str) -> None:
    """
    NUL in the name of a file, which TOML can spell, is told with the key.
    """
    (tmp_path / "pyproject.toml").write_text(f"[tool.migratable]\n{setting}\n")
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = migratable("check", "vm.yaml", cwd=tmp_path)

    key = setting.split(maxsplit=1)[0]
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: pyproject.toml: {key}: NUL character in the name of a file. Write the name of a file.\n"
    )
