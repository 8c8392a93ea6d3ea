"""Files that .gitignore leaves out of a search. Git itself is the reference."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable, process
from webhook.manifests.files import Inputs
from webhook.manifests.sources import Sources

FOLDERS = ("", "a", "b", "a/a", "a/b", "a b", "ab/a/b")
FILES = ("x.yaml", "y.json", "a.yml")
NAMES = (
    "a",
    "b",
    "*",
    "**",
    "a*",
    "*.yaml",
    "x.yaml",
    "y.json",
    "?",
    "[ab]",
    "[!a]",
    "[[:alpha:]]",
    "[z-a]",
    "\\a",
    "a b",
)
ODD_NAMES = ("#a", "!a", " ", "x.yaml ", "a\\ ", "\\", "[", "")
LINES = st.builds(
    lambda negation, start, parts, end: negation + start + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(st.sampled_from(NAMES + ODD_NAMES), min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " ", "\r"]),
)
RULES = st.dictionaries(st.sampled_from(FOLDERS), st.lists(LINES, min_size=1, max_size=4), max_size=3)


def git(*words: str, cwd: Path) -> str:
    ran = subprocess.run(
        ["git", *words], cwd=cwd, capture_output=True, check=True, env={**os.environ, "HOME": str(cwd)}
    )
    return ran.stdout.decode()


def found(folder: str | Path, sources: Sources | None = None, *, recursive: bool = True) -> set[str]:
    """The files that a search reads."""
    used = sources or Sources()
    for _ in Inputs([str(folder)], recursive=recursive, sources=used, gitignore=True):
        pass
    return {*used.names, *used.others}


def write(path: Path, text: str = GOOD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    git("init", "-q", cwd=tmp_path)
    return tmp_path


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RULES, min_size=10, max_size=30), st.lists(LINES, max_size=2))
def test_a_search_reads_the_files_that_git_does_not_ignore(
    tmp_path_factory: pytest.TempPathFactory, cases: list[dict[str, list[str]]], excluded: list[str]
) -> None:
    """
    Each case is a folder with its own .gitignore files. Patterns may be nested, negated or invalid.
    """
    root = tmp_path_factory.mktemp("repository")
    git("init", "-q", cwd=root)
    (root / ".git" / "info" / "exclude").write_text("\n".join(excluded))
    for number, rules in enumerate(cases):
        for folder in FOLDERS:
            for name in FILES:
                write(root / f"c{number}" / folder / name, "{}")
        for folder, lines in rules.items():
            (root / f"c{number}" / folder / ".gitignore").write_bytes("\n".join(lines).encode())

    kept = git("ls-files", "--others", "--exclude-standard", "-z", cwd=root).split("\0")

    assert found(root) == {f"{root}/{name}" for name in kept if name.endswith((".yaml", ".yml", ".json"))}


def test_a_named_file_and_a_named_folder_are_read(repository: Path) -> None:
    """
    The patterns that ignore a named folder do not apply in it. Its own patterns do.
    """
    (repository / ".gitignore").write_text("build\n*.json\n")
    write(repository / "build" / "vm.yaml", BAD)
    write(repository / "build" / "other.json", "{}")
    write(repository / "build" / "left.yaml")
    (repository / "build" / ".gitignore").write_text("left.yaml\n")
    write(repository / "good.yaml")

    assert found(".") == {"good.yaml"}
    assert found("build") == {"build/vm.yaml", "build/other.json"}
    assert migratable("check", "build/vm.yaml", cwd=repository).status == 1
    assert migratable("check", ".", "build/vm.yaml", cwd=repository).status == 1


@pytest.mark.parametrize("folder", [".", "apps", "apps/web"])
def test_patterns_of_folders_above_apply(repository: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """
    The result does not depend on the folder that is searched, or on the working folder.
    """
    (repository / ".gitignore").write_text("/apps/web/out\n*.tmp.yaml\n")
    (repository / ".git" / "info" / "exclude").write_text("notes.yaml\n")
    for name in ("good.yaml", "out/bad.yaml", "a.tmp.yaml", "notes.yaml"):
        write(repository / "apps" / "web" / name)

    from_root = found(folder)
    monkeypatch.chdir(repository / folder)

    assert from_root == {"apps/web/good.yaml"}
    assert {str(Path(name).resolve()) for name in found(".")} == {str(repository / "apps/web/good.yaml")}


def test_a_repository_inside_has_its_own_patterns(repository: Path) -> None:
    """
    In a worktree or submodule ``.git`` is a file, and ``info/exclude`` is in the folder that it names.
    """
    (repository / ".gitignore").write_text("*.yaml\n")
    write(repository / "inner" / "vm.yaml")
    write(repository / "inner" / "left.yml")
    (repository / ".git" / "modules" / "inner" / "info").mkdir(parents=True)
    (repository / ".git" / "modules" / "inner" / "info" / "exclude").write_text("left.yml\n")
    (repository / "inner" / ".git").write_text("gitdir: ../.git/modules/inner\n")

    assert found(".") == {"inner/vm.yaml"}


def test_a_worktree_uses_the_patterns_of_its_repository(repository: Path) -> None:
    """
    ``commondir`` names the folder that all worktrees share.
    """
    write(repository / "main" / "vm.yaml")
    git("init", "-q", cwd=repository / "main")
    git(
        "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a", cwd=repository / "main"
    )
    git("worktree", "add", "-q", "../other", cwd=repository / "main")
    (repository / "main" / ".git" / "info" / "exclude").write_text("left.yaml\n")
    for name in ("vm.yaml", "left.yaml"):
        write(repository / "other" / name)

    assert found("other") == {"other/vm.yaml"}


def test_without_a_repository_the_patterns_of_the_searched_folders_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An archive has no .git folder. Files of folders above, such as the home folder, do not count.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("*\n")
    write(tmp_path / "apps" / "vm.yaml")
    write(tmp_path / "apps" / "left.yaml")
    (tmp_path / "apps" / ".gitignore").write_text("left.yaml\n")

    assert found("apps") == {"apps/vm.yaml"}


def test_what_is_left_out_is_counted_by_folder(repository: Path) -> None:
    """
    Folders without manifests are not mentioned. Files that also match an ignore pattern are counted only there.
    """
    (repository / ".gitignore").write_text("node_modules\n.venv\nreports/*.json\n")
    write(repository / "vm.yaml")
    write(repository / ".venv" / "pyvenv.cfg")
    for number in range(501):
        write(repository / "node_modules" / f"{number % 3}" / f"{number}.json", "{}")
    write(repository / "reports" / "a.json", "{}")

    ran = migratable("check", ".", cwd=repository)
    ignored = migratable("check", ".", "--ignore", "node_modules", cwd=repository)

    note = "note: ignored by .gitignore: {}. --no-gitignore reads these files\n"
    assert (ran.status, ran.err) == (0, note.format("501 files in node_modules, reports/a.json"))
    assert ignored.err == (
        "note: ignored files and folders: 501 files in node_modules\n" + note.format("reports/a.json")
    )


@pytest.mark.parametrize(("words", "setting"), [(("--no-gitignore",), ""), ((), "gitignore: false\n")])
def test_ignored_files_are_read_on_request(repository: Path, words: tuple[str, ...], setting: str) -> None:
    """
    By the option, or by the key of the configuration.
    """
    (repository / ".gitignore").write_text("out\n")
    write(repository / "out" / "vm.yaml", BAD)
    write(repository / "migratable.yaml", setting)

    before = migratable("check", ".", "--isolated", cwd=repository)
    after = migratable("check", ".", *words, cwd=repository)

    assert (before.status, after.status) == (0, 1)


def test_a_file_that_cannot_be_read_is_an_error(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Otherwise files would be judged that the author has excluded.
    """
    (repository / ".gitignore").write_text("*.json\n")
    write(repository / "vm.yaml")
    opened = open

    def refusing(path: object, *args: object, **named: object) -> object:
        if str(path).endswith(".gitignore"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *args, **named)

    monkeypatch.setattr("builtins.open", refusing)
    ran = migratable("check", ".", cwd=repository)

    assert ran.status == 2
    assert ".gitignore: cannot be read: Permission denied." in ran.err


@pytest.mark.parametrize("text", ["", "# only comments\n\n"])
def test_pathspec_is_imported_only_for_patterns(repository: Path, text: str) -> None:
    """
    A repository whose .gitignore files have no patterns, and a check of one file, do without it.
    """
    write(repository / "vm.yaml")
    (repository / ".gitignore").write_text(text)

    for words in (("check", "."), ("check", "vm.yaml")):
        ran = process(*words, cwd=repository, env={"PYTHONVERBOSE": "1"})
        assert ("import 'webhook.manifests.gitignore'" in ran.err) == (words[1] == ".")
        assert "import 'pathspec'" not in ran.err
    (repository / ".gitignore").write_text("x\n")
    assert "import 'pathspec'" in process("check", ".", cwd=repository, env={"PYTHONVERBOSE": "1"}).err
