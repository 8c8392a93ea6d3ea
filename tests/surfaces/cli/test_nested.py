"""Configurations in subfolders of the checked folder."""

from itertools import permutations
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.surfaces.manifests import BAD
from tests.surfaces.running import migratable
from webhook.policy.policy import Policy
from webhook.surfaces.cli import nested
from webhook.surfaces.cli.configuration import find_in
from webhook.surfaces.cli.nested import NestedConfigurations
from webhook.surfaces.cli.settings import Flags

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


def test_a_configuration_above_the_nearest_one_is_not_read(repository: Path) -> None:
    """
    It does not apply, so its errors do not matter.
    """
    for name, text in (("a", "strict: true\n"), ("a/inner", "skip: [LM1, LM3]\n"), ("b", "skip: [LM1, LM3]\n")):
        (repository / "apps" / name / "migratable.yaml").write_text(text)
    named = ("--stdin-filename", "apps/a/inner/new.yaml")

    assert migratable("check", "-", ".", *named, "--ignore", "a", cwd=repository, stdin=BAD).status == 0


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of which some folders, such as ``a/b``, have a configuration."""
    top = tmp_path_factory.mktemp("top")
    (top / "a" / "b" / "a" / "b").mkdir(parents=True)
    for name in ("a/b", "a/b/a/b"):
        (top / name / "migratable.yaml").write_text(f"ignore: [{name}]\n")
    return top


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=6), max_size=20), st.integers(0, 5))
def test_the_nearest_configuration_applies_to_a_folder(configured: Path, folders: list[list[str]], most: int) -> None:
    """
    Also if the settings of the folder were dropped from memory, because those of a few folders are kept.
    """
    found = NestedConfigurations(str(configured), Flags(), lambda _path: Policy())
    with patch.object(nested, "MOST_FOLDERS", most):
        for parts in folders:
            settings = found.of_folder("/".join([str(configured), *parts]))

            nearest = next((name for name in ("a/b/a/b", "a/b") if f"{'/'.join(parts)}/".startswith(f"{name}/")), None)
            assert (settings and [pattern.text for pattern in settings.ignore]) == (nearest and [nearest])


@pytest.mark.parametrize("order", [1, -1], ids=["outer folders first", "inner folders first"])
@pytest.mark.parametrize("start", ["/nowhere", ""], ids=["without a configuration", "with one"])
def test_each_folder_is_searched_for_a_configuration_a_few_times(configured: Path, start: str, order: int) -> None:
    """
    Also if each of 400 folders contains the next one.
    """
    top = start or f"{configured}/a"
    folders = [f"{top}/b" + "/d" * depth for depth in range(400)][::order]
    with patch.object(nested, "find_in", side_effect=find_in) as searches:
        found = NestedConfigurations(top, Flags(), lambda _path: Policy())
        settings = [found.of_folder(folder) for folder in folders]

    assert [one is None for one in settings] == [bool(start)] * 400
    assert searches.call_count <= 2 * len(folders)
