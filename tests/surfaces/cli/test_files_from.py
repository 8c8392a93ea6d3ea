"""``--files-from``: a list of paths from a file or from standard input."""

from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import migratable

ODD = ["a b.yaml", "\u00e9.yaml", "-", "-x.yaml", "[a].yaml", "*.yaml", " lead.yaml", 'quote".yaml']


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    return tmp_path


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
@pytest.mark.parametrize("end", [True, False])
def test_names_are_separated_by_newlines_or_nul(folder: Path, separator: str, end: bool) -> None:
    """
    A separator at the end adds no name. The list can be a file or standard input.
    """
    text = separator.join(["good.yaml", "bad.yaml"]) + (separator if end else "")
    (folder / "list").write_bytes(text.encode())

    from_file = migratable("check", "--files-from", "list", cwd=folder)
    from_stdin = migratable("check", "--files-from", "-", cwd=folder, stdin=text)
    named = migratable("check", "good.yaml", "bad.yaml", cwd=folder)

    assert from_file == from_stdin == named
    assert named.status == 1


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_taken_as_it_is(folder: Path, name: str) -> None:
    """
    No pattern is expanded, and ``-`` is a file.
    """
    (folder / name).write_text(BAD)

    ran = migratable("check", "--files-from", "-", cwd=folder, stdin=f"good.yaml\0{name}\0")

    assert (ran.status, "2 objects" in ran.out) == ((1, True) if name != "-" else (0, False))


@pytest.mark.parametrize("text", ["", "\n", "\0"])
def test_an_empty_list_is_no_error(folder: Path, text: str) -> None:
    """
    A commit may change no manifest. ``--require-match`` fails.
    """
    ran = migratable("check", "--files-from", "-", cwd=folder, stdin=text)

    assert (ran.status, ran.err) == (0, "note: the list of --files-from is empty\n")
    assert migratable("check", "--files-from", "-", "--require-match", cwd=folder, stdin=text).status == 2


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("gone.yaml", "Leave deleted files out of the list, for example with: git diff --diff-filter=d."),
        ("gone.md", "Leave deleted files out of the list, for example with: git diff --diff-filter=d."),
        ('"\\303\\251.yaml"', "Git quotes this name. Use: git diff -z."),
    ],
)
def test_a_missing_file_is_an_error_that_names_it(folder: Path, name: str, remedy: str) -> None:
    """
    The other files are judged.
    """
    ran = migratable("check", "--files-from", "-", cwd=folder, stdin=f"{name}\nbad.yaml\n")

    assert ran.status == 2
    assert "deny LM101" in ran.out
    assert f"error: {name}: no such file or folder, but the list of files names it. {remedy}\n" in ran.err


def test_files_that_are_no_manifests_are_counted(folder: Path) -> None:
    """
    A list of changed files also has source code and configurations of CI systems.
    """
    (folder / "README.md").write_text("text")
    (folder / "ci.yml").write_text("jobs: {}\n")
    (folder / "migratable.yaml").write_text("skip: [LM5]\n")

    ran = migratable("check", "--files-from", "-", cwd=folder, stdin="README.md\nci.yml\nmigratable.yaml\ngood.yaml\n")

    assert ran.status == 0
    assert "note: 2 files are not Kubernetes manifests: README.md, ci.yml\n" in ran.err


def test_patterns_of_ignore_apply_to_a_list(folder: Path) -> None:
    """
    .gitignore does not apply, because the list names the file.
    """
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("*.yaml\n")

    assert migratable("check", "--files-from", "-", cwd=folder, stdin="bad.yaml").status == 1
    assert migratable("check", "--files-from", "-", "--ignore", "bad*", cwd=folder, stdin="bad.yaml").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--files-from", "missing"), "missing: cannot be read: No such file or directory. Check --files-from."),
        (("--files-from", "-", "-"), "Standard input cannot be both a manifest and the list of --files-from."),
    ],
)
def test_a_list_that_cannot_be_read_is_an_error(folder: Path, words: tuple[str, ...], message: str) -> None:
    """
    The status is 2.
    """
    ran = migratable("check", *words, cwd=folder)

    assert (ran.status, message in " ".join(ran.err.split())) == (2, True)
