"""The commit that CI compares with comes from the history of the repository."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.base_commit import AUTO, BACK, NoBase, UnknownBase, checked_out, chosen

AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    argv = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, input=stdin).stdout.strip()


def commits(folder: Path, count: int, branch: str = "main", parent: str | None = None) -> None:
    """Adds commits with a file that has the number of the commit."""
    lines = [] if parent is None else [f"reset refs/heads/{branch}", f"from {parent}", ""]
    for number in range(count):
        text = f"{branch} {number}"
        lines += [
            f"commit refs/heads/{branch}",
            f"committer t <t@example.com> {number} +0000",
            f"data {len(text)}",
            text,
        ]
        lines += ["M 644 inline file", f"data {len(text)}", text, ""]
    git(folder, "fast-import", "--quiet", stdin="\n".join(lines) + "\n")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commits(folder, BACK + 2)
    git(folder, "reset", "--quiet", "--hard")
    return folder


def test_without_tags_it_is_a_hundred_commits_back(repository: Path) -> None:
    """
    HEAD is commit 101 of 0 to 101.
    """
    with checked_out(repository, AUTO) as (files, line):
        assert (files / "file").read_text() == "main 1"
        assert line.endswith("main 1)")
    assert not files.exists()
    assert git(repository, "status", "--porcelain") == ""


def test_the_newest_tag_before_head_is_preferred(repository: Path) -> None:
    """
    A tag of HEAD itself does not count: a release is compared with the release before it.
    """
    git(repository, "tag", "v1", "HEAD~7")
    git(repository, "tag", "v2", "HEAD")

    assert chosen(repository) == "v1"


def test_a_branch_is_compared_with_the_commit_where_it_left_the_default_branch(
    repository: Path, tmp_path: Path
) -> None:
    """
    In a clone, this is the merge base of HEAD and origin/HEAD.
    """
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repository), str(clone))
    left = git(clone, "rev-parse", "HEAD~3")
    commits(clone, 2, "topic", left)
    git(clone, "checkout", "--quiet", "topic")

    assert chosen(clone) == left


def test_a_shallow_clone_has_nothing_to_compare_with(repository: Path, tmp_path: Path) -> None:
    """
    The reason says how to get it.
    """
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(clone))

    with pytest.raises(NoBase, match="fetch more of it"):
        chosen(clone)


def test_a_commit_that_a_shallow_clone_lacks_is_no_base(repository: Path, tmp_path: Path) -> None:
    """
    The comparison is left out, because a shallow clone cannot tell a mistyped name from a commit that was not fetched.
    """
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(clone))

    with pytest.raises(NoBase, match="no commit v9; fetch more of it"), checked_out(clone, "v9"):
        pass


def test_files_without_a_history_have_no_base(tmp_path: Path) -> None:
    """
    For example, the files of a release.
    """
    with pytest.raises(NoBase), checked_out(tmp_path, "v9"):
        pass


@pytest.mark.parametrize("name", ["v9", "--all", ""])
def test_a_name_that_a_whole_history_lacks_is_a_mistake(repository: Path, name: str) -> None:
    """
    A name is never an option of git.
    """
    with pytest.raises(UnknownBase, match=f"no commit {name}"), checked_out(repository, name):
        pass


def test_a_mistyped_base_ends_with_2(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A comparison that is left out ends with 0, so a typing mistake in a CI job would never be noticed.
    """
    monkeypatch.setattr("sys.argv", ["compare", "--base", "v9"])
    monkeypatch.setattr(compare, "ROOT", repository)

    status = compare.main()

    assert status == 2
    assert capsys.readouterr().err == "compare: --base v9: the history has no commit v9\n"
