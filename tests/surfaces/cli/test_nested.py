"""Configurations in subfolders of the checked folder."""

from itertools import permutations
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable

WHOLE_RUN = (
    "failOn: warn",
    "strict: true",
    "requireMatch: true",
    "facts: [x]",
    "snapshot: x",
    "baseline: x",
    "gitignore: true",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for team in ("a", "b", "a/inner"):
        (tmp_path / "apps" / team).mkdir(parents=True)
        (tmp_path / "apps" / team / "vm.yaml").write_text(BAD.replace("name: bad", f"name: {team.replace('/', '-')}"))
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_a_configuration_applies_to_the_files_below_it(repository: Path) -> None:
    """
    The nearest file applies. Files are not merged. The note names the files.
    """
    (repository / "migratable.yaml").write_text("skip: [LM3]\n")
    (repository / "apps" / "a" / "migratable.yaml").write_text("skip: [LM1]\n")
    (repository / "apps" / "a" / "inner" / ".migratable.yml").write_text("rules: {LM302: 'off'}\n")

    ran = migratable("check", ".", "-o", "concise", cwd=repository)

    assert [line.split(":")[0] for line in ran.out.splitlines() if "deny LM101" in line] == [
        "apps/a/inner/vm.yaml",
        "apps/b/vm.yaml",
    ]
    assert [line.split(":")[0] for line in ran.out.splitlines() if "deny LM302" in line] == ["apps/a/vm.yaml"]
    assert "settings for subfolders come from apps/a/inner/.migratable.yml, apps/a/migratable.yaml\n" in ran.err


def test_order_and_working_folder_do_not_change_the_result(repository: Path) -> None:
    """
    Files and folders may be named in any order, from any folder.
    """
    (repository / "apps" / "a" / "migratable.yaml").write_text("skip: [LM1]\nignore: [inner]\n")
    names = ["apps/a", "apps/b/vm.yaml", "apps/a/inner/vm.yaml"]

    outputs = set()
    for words in permutations(names):
        outputs.add(tuple(sorted(migratable("check", *words, "-o", "concise", cwd=repository).out.splitlines())))
    inside = [f"../../{name}" for name in names]
    ran = migratable("check", *inside, "-o", "concise", cwd=repository / "apps" / "b")
    outputs.add(tuple(sorted(ran.out.replace("../../", "").replace("../", "apps/").splitlines())))

    assert len(outputs) == 1
    assert not any("inner" in line for line in outputs.pop())


@pytest.mark.parametrize("setting", WHOLE_RUN)
def test_a_key_for_the_whole_run_is_an_error_in_a_subfolder(repository: Path, setting: str) -> None:
    """
    The error names file, line and key. In the folder itself the key is valid.
    """
    (repository / "apps" / "a" / "migratable.yaml").write_text(f"skip: [LM1]\n{setting}\n")
    key = setting.partition(":")[0]

    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 2
    assert f"apps/a/migratable.yaml:2: {key}: the key applies to the whole run" in ran.err
    assert migratable("check", ".", "--isolated", cwd=repository).status == 1
    assert "applies to the whole run" not in migratable("check", "apps/a", cwd=repository).err


def test_the_command_line_overrides_configurations_in_subfolders(repository: Path) -> None:
    """
    Exemptions and the release of a subfolder apply there only.
    """
    (repository / "apps" / "a" / "migratable.yaml").write_text(
        "release: '1.8'\nexemptions: [{rule: LM101, reason: r, owner: o, until: '2999-01-01'}]\n"
    )

    ran = migratable("check", ".", "-o", "json", cwd=repository)
    flagged = migratable("check", ".", "--only", "LM101", "--release", "1.9", "-o", "json", cwd=repository)

    assert '"exempted": 2,' in ran.out
    assert '"release": "1.8"' in ran.out
    assert '"release": "1.8"' not in flagged.out
    assert "LM302" not in flagged.out


def test_a_configuration_in_an_ignored_folder_is_not_read(repository: Path) -> None:
    """
    The patterns above decide about the folder itself.
    """
    (repository / "migratable.yaml").write_text("ignore: [apps/a]\n")
    (repository / "apps" / "a" / "migratable.yaml").write_text("strict: true\n")

    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 1
    assert "note: ignored files and folders: 3 files in apps/a\n" in ran.err
