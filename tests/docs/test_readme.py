"""The README is short and leads to every page."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_readme_has_fewer_than_120_lines() -> None:
    """
    Details belong to the pages that it names.
    """
    assert len(README.splitlines()) < 120


def test_the_readme_begins_with_live_migration_and_shows_both_commands() -> None:
    """
    A reader learns first why live migration matters.
    """
    first = README.split("\n\n")[1]

    assert "Live migration" in first
    assert all(f"\nmake {command} " in README for command in ("run", "test"))


def test_the_readme_links_each_page_that_exists() -> None:
    """
    Each page in `docs/` is linked from the README or from a page that it links; a link never leads nowhere.
    """
    links = set(re.findall(r"\]\(([^)#]+)\)", README)) - {"https://kubevirt.io"}

    assert [link for link in links if not (ROOT / link).exists()] == []
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {Path(link).name for link in links} == {"rotation.md"}
