"""
Copies the pages of the repository to the source folder of the site.

A page has a shorter path there: `docs/ci.md` is `ci.md`, and `README.md` is `index.md`. Links between pages follow. A link to
another file of the repository adds this file to the site; a link to a folder leads to the README of the folder or of its parent.
"""

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.site.navigation import INDEXES, SECTIONS, TITLES, Section, pages, toctree

_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)

NOT_SEARCHED = ("docs/decisions/", "CHANGELOG.md")
_PLACES = {"README.md": "index.md", "deploy/helm/migratable/README.md": "chart.md"}


def write(root: Path, folder: Path) -> None:
    """Makes the source folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in pages(root):
        text = rewritten((root / page).read_text(encoding="utf-8"), page, root, folder)
        _write(folder / place(page), _metadata(page) + text + _navigation(page, root))
    for section in SECTIONS:
        _write(folder / f"{section.name}.md", "".join(_index(section, root)))


def place(page: str) -> str:
    """The path of a page in the source folder."""
    if page in _PLACES:
        return _PLACES[page]
    folder, name = posixpath.split(page.removeprefix("docs/"))
    if name != "README.md":
        return f"{folder}/{name}".lstrip("/") if folder else name.lower()
    return f"{folder}/index.md" if page in INDEXES else f"{folder.rpartition('/')[2]}.md"


def rewritten(text: str, page: str, root: Path, folder: Path) -> str:
    """The text with links for the source folder. The files that it links are copied."""
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        parts += (_relinked(text[end : code.start()], page, root, folder), code[0])
        end = code.end()
    return "".join(parts) + _relinked(text[end:], page, root, folder)


def _relinked(text: str, page: str, root: Path, folder: Path) -> str:
    here = posixpath.dirname(place(page))

    def new(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[1]))
        return posixpath.relpath(_copied(target, root, folder), here or ".") + (link[2] or "")

    return _LINK.sub(new, text)


def _copied(target: str, root: Path, folder: Path) -> str:
    """The path of a link's target in the source folder."""
    if (root / target).is_dir():
        inside = f"{target}/README.md"
        target = inside if (root / inside).is_file() else f"{posixpath.dirname(target)}/README.md"
    if target.endswith(".md"):
        return place(target)
    if (root / target).is_file():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / target, folder / target)
    return target


def _index(section: Section, root: Path) -> Iterator[str]:
    """The page of a section: each page with what a reader finds."""
    yield f"# {section.title}\n\n{section.about}\n\n| page | content |\n| --- | --- |\n"
    for page, content in section.entries.items():
        yield f"| [{_title(page, root)}]({place(page)}) | {content} |\n"
    entries = (f"{_title(page, root)} </{place(page).removesuffix('.md')}>" for page in section.pages)
    yield f"\n{toctree(entries)}"


def _title(page: str, root: Path) -> str:
    """The first heading of a page."""
    heading = re.search(r"^# (.+)$", (root / page).read_text(encoding="utf-8"), re.MULTILINE)
    return TITLES.get(page) or (heading[1] if heading else page)


def _metadata(page: str) -> str:
    """Pages about the past are left out of the search: they would come before the pages that users need."""
    return "---\nnosearch: true\n---\n" if page.startswith(NOT_SEARCHED) else ""


def _navigation(page: str, root: Path) -> str:
    if page == "README.md":
        return "\n" + toctree(f"/{section.name}" for section in SECTIONS)
    if page not in INDEXES:
        return ""
    beside = sorted(path.stem for path in (root / page).parent.glob("*.md") if path.name != "README.md")
    inside = posixpath.dirname(place(page))
    return "\n" + toctree(f"/{inside}/{name}" for name in beside)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
