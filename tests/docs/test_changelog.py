"""News fragments, and the changelog that is built from them."""

from pathlib import Path

import pytest

from docs.changelog import BadFragment, fragments, release, section, title_of, updated

OLD = "# Changelog\n\n## Unreleased\n\n### Added\n- Stale.\n\n## 0.1.0 - 2026-01-01\n\n### Added\n- First.\n"


@pytest.fixture
def changes(tmp_path: Path) -> Path:
    """A folder with two kinds of fragments and the page that explains them."""
    (tmp_path / "README.md").write_text("# News fragments\n")
    (tmp_path / "check.added.md").write_text("`check` reads TOML.\n`check` reads INI.\n")
    (tmp_path / "api.added.md").write_text("The API has a new path.\n")
    (tmp_path / "api.fixed.md").write_text("The API no longer fails.\n")
    return tmp_path


def test_entries_are_grouped_by_kind_and_ordered_by_topic(changes: Path) -> None:
    """
    Each line of a fragment is one entry.
    """
    assert section(changes) == (
        "### Added\n- The API has a new path.\n- `check` reads TOML.\n- `check` reads INI.\n\n"
        "### Fixed\n- The API no longer fails.\n"
    )


def test_highlights_come_before_the_entries(changes: Path) -> None:
    """
    They are text, and no fragment.
    """
    (changes / "HIGHLIGHTS.md").write_text("The first release.\n\n- A list.\n")

    assert section(changes).startswith("The first release.\n\n- A list.\n\n### Added\n- The API has a new path.\n")
    assert "HIGHLIGHTS.md" not in {path.name for path in fragments(changes)}


def test_only_the_unreleased_section_is_rewritten(changes: Path) -> None:
    """
    Entries of releases stay, and a second run changes nothing.
    """
    once = updated(OLD, changes)

    assert once == OLD.replace("### Added\n- Stale.\n", section(changes))
    assert updated(once, changes) == once


def test_a_release_gives_the_entries_a_title(changes: Path) -> None:
    """
    The section Unreleased stays, above the release.
    """
    assert release(OLD, changes, "0.2.0 - 2026-02-02").startswith(
        f"# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-02\n\n{section(changes)}"
    )


def test_a_long_entry_is_wrapped(changes: Path) -> None:
    """
    Links and code are never broken inside a word.
    """
    (changes / "api.fixed.md").write_text(f"{'word ' * 30}`--a-long-option`.\n")

    assert max(map(len, section(changes).splitlines())) <= 118
    assert "`--a-long-option`" in section(changes)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("api.new.md", "A sentence.\n", "unknown kind 'new'"),
        ("api.md", "A sentence.\n", "unknown kind 'api'"),
        ("api.added.md", "", "one sentence a line"),
        ("api.added.md", "A sentence.\n\nAnother.\n", "one sentence a line"),
        ("api.added.md", "no full stop\n", "one sentence a line"),
        ("api.added.md", "- A sentence.\n", "without a dash"),
    ],
)
def test_a_bad_fragment_is_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """
    The error says which file, and what to write.
    """
    (tmp_path / name).write_text(text)

    with pytest.raises(BadFragment, match=f"^{name}: .*{problem}"):
        section(tmp_path)


def test_fragments_leave_out_the_page_that_explains_them(changes: Path) -> None:
    """
    A release deletes the others.
    """
    assert [path.name for path in fragments(changes)] == ["api.added.md", "api.fixed.md", "check.added.md"]


@pytest.mark.parametrize("words", [[], ["--help"], ["0.2.0"], ["2026-12-01", "0.2.0"], ["0.2.0", "2026-12-01", "more"]])
def test_a_release_needs_a_version_and_a_date(words: list[str]) -> None:
    """
    Otherwise no fragment is deleted.
    """
    with pytest.raises(SystemExit, match="usage: "):
        title_of(words)

    assert title_of(["0.2.0", "2026-12-01"]) == "0.2.0 - 2026-12-01"
