"""Links between the Markdown files of the repository, also of those that are not on the site."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, pages

_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(markdown: str) -> set[str]:
    """The anchors that GitHub gives to the headings, and those that the text sets."""
    text = re.sub(r"^ *```.*?^ *```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        same = found.count(slug)
        found.append(slug)
        if same:
            found.append(f"{slug}-{same}")
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', text)}


def broken(markdown: str, page: Path) -> list[str]:
    """The links to a file or a heading that does not exist."""
    wrong = []
    for path, anchor in _LINK.findall(_CODE.sub("", markdown)):
        target = page.parent / path
        text = markdown if not path else target.read_text() if target.suffix == ".md" and target.is_file() else ""
        if (path and not target.exists()) or (anchor and text and anchor not in anchors(text)):
            wrong.append(f"{path}#{anchor}" if anchor else path)
    return wrong


@pytest.mark.parametrize("page", pages())
def test_links_lead_to_files_and_headings(page: str) -> None:
    """
    A link to a heading names it as GitHub does. Fragments of news become a part of the changelog.
    """
    place = "CHANGELOG.md" if page.startswith("changes/") and page != "changes/README.md" else page

    assert broken((ROOT / page).read_text(encoding="utf-8"), ROOT / place) == []


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("#the-title-of-one", False),
        ("#the-title", True),
        ("CHANGELOG.md", False),
        ("docs/ci.md#ten-minutes", False),
        ("docs/ci.md#ten-hours", True),
        ("docs/none.md", True),
        ("examples/fleet", False),
        ("https://kubevirt.io#x", False),
    ],
)
def test_a_broken_link_is_found(link: str, is_broken: bool) -> None:
    """
    Links in code are left alone.
    """
    text = f"# The title of `one`\n\n[a]({link}) `[b](none.md)`\n"

    assert bool(broken(text, ROOT / "page.md")) is is_broken
