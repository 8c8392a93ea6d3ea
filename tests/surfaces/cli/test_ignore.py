"""Ignored files and folders: what patterns are relative to, and the notes about them."""

from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable
from webhook.manifests.ignored import IgnorePatterns, LeftOut, Pattern, Place

ALL = ("apps/a/bad.yaml", "apps/b/good.yaml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ALL:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BAD if "bad" in name else GOOD)
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "pattern", ["apps/a", "a", "apps/a/", "./apps/a", "**/a", "apps/*/bad.yaml", "bad.*", "a/bad.yaml"]
)
@pytest.mark.parametrize("folder", [".", "apps", "apps/a"])
def test_patterns_of_a_file_are_relative_to_its_folder(repository: Path, pattern: str, folder: str) -> None:
    """
    The working folder, and the way in which a path is written, change nothing.
    """
    (repository / "migratable.yaml").write_text(f"ignore: ['{pattern}']\n")
    here = repository / folder

    statuses = {
        str(path): migratable("check", path, cwd=here).status for path in (".", here, repository, f"../{here.name}")
    }

    assert set(statuses.values()) == {0}


@pytest.mark.parametrize(
    ("pattern", "status"), [("apps/a", 0), ("../repository/apps/a", 1), ("b", 1), ("repository", 1)]
)
def test_patterns_of_the_command_line_are_relative_to_the_working_folder(
    repository: Path, pattern: str, status: int
) -> None:
    """
    Names of folders above the working folder match nothing, even if a path contains them.
    """
    for path in (".", repository, "apps"):
        assert (
            migratable("check", path, "--ignore", pattern.replace("repository", repository.name), cwd=repository).status
            == status
        )


def test_patterns_of_a_pinned_file_apply_beside_its_folder(repository: Path) -> None:
    """
    ``--config`` can name a file of another checkout. The last parts of a path count there, too.
    """
    (repository / "base").mkdir()
    (repository / "base" / "migratable.yaml").write_text("ignore: [apps/a]\n")

    assert migratable("check", "apps", "--config", "base/migratable.yaml", cwd=repository).status == 0


def test_ignored_files_are_counted_by_folder(repository: Path) -> None:
    """
    500 files give one short note. A single file is named.
    """
    modules = repository / "node_modules" / "deep"
    modules.mkdir(parents=True)
    for number in range(500):
        (modules / f"{number}.json").write_text("{}")
    (modules.parent / "x.yaml").write_text("{}")

    ran = migratable("check", ".", "node_modules", "./apps", "--ignore", "node_modules,", cwd=repository)
    both = migratable(
        "check", ".", "node_modules", "apps", "--ignore", "node_modules", "--ignore", "bad.yaml", cwd=repository
    )

    assert (
        "note: the pattern 'node_modules,' (--ignore) ignores nothing: it matches no .yaml, .yml or .json file\n"
        in ran.err
    )
    assert both.err == "note: ignored files and folders: apps/a/bad.yaml, 501 files in node_modules\n"


def test_a_note_names_at_most_five_places() -> None:
    """
    The other files are counted.
    """
    left_out = LeftOut()
    for number in range(8):
        for name in ("a", "b"):
            left_out.add(f"f{number}/{name}.yaml", Place(f"f{number}/{name}.yaml", is_folder=False))

    assert str(left_out) == (
        "2 files in f0, 2 files in f1, 2 files in f2, 2 files in f3, 2 files in f4, 6 files in other folders"
    )


def test_a_configured_pattern_without_effect_is_noted_if_all_of_its_folder_is_read(repository: Path) -> None:
    """
    A check of a part of the repository says nothing about patterns for other parts.
    """
    (repository / "migratable.yaml").write_text("ignore: [apps/a, /apps]\n")
    note = (
        "note: the pattern '/apps' (migratable.yaml) ignores nothing: it matches no .yaml, .yml or .json file. "
        "A pattern that begins with / is an absolute path\n"
    )

    assert note in migratable("check", ".", cwd=repository).err
    assert note in migratable("check", repository, cwd=repository).err
    assert "ignores nothing" not in migratable("check", "apps/b", cwd=repository).err
    assert "ignores nothing" not in migratable("check", "--no-recursive", "apps/b", ".", cwd=repository).err


def test_an_absolute_pattern_matches_an_absolute_path(repository: Path) -> None:
    """
    The paths on the command line may be relative.
    """
    ran = migratable("check", ".", "--ignore", repository / "apps" / "a", cwd=repository)

    assert (ran.status, ran.err) == (0, "note: ignored files and folders: 1 file in apps/a\n")


def test_a_folder_above_the_pattern_never_matches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A repository in a folder ``build`` can ignore its own folders of this name.
    """
    inner = tmp_path / "build" / "repository"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    patterns = IgnorePatterns(lambda _folder: [Pattern("build", str(inner))])

    assert patterns.find_place("vm.yaml") is None
    assert patterns.find_place("build/vm.yaml") == Place("build", is_folder=True)


def test_a_file_and_a_file_of_the_root_with_the_same_name_have_different_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    patterns = IgnorePatterns(lambda _folder: [Pattern(f"{tmp_path}/vm.yaml", "/")])

    assert patterns.find_place("vm.yaml") == Place("vm.yaml", is_folder=False)
    assert patterns.find_place("/vm.yaml") is None
    assert patterns.find_place("vm.yaml") == Place("vm.yaml", is_folder=False)


def test_patterns_are_relative_to_the_root_if_it_is_the_working_folder(repository: Path) -> None:
    folders = [(repository / "apps" / name).relative_to("/") for name in "ab"]

    ran = migratable("check", *folders, "--ignore", folders[0], cwd=Path("/"))

    assert (ran.status, ran.err) == (0, f"note: ignored files and folders: 1 file in {folders[0]}\n")
