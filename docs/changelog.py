"""
Builds the section *Unreleased* of the changelog from the news fragments in ``changes/``.

``docs/generate.py`` calls it. ``python docs/changelog.py VERSION DATE`` turns the section into a release: it writes the title
and deletes the fragments. towncrier was considered: it names a fragment by issue number, and shows nothing before a release.
"""

import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

KINDS = ("added", "changed", "deprecated", "removed", "fixed", "security")
ROOT = Path(__file__).resolve().parents[1]
UNRELEASED = "## Unreleased\n"
HIGHLIGHTS = "HIGHLIGHTS.md"
"""The file in ``changes/`` whose text comes before the entries. It is optional."""


class BadFragment(Exception):
    """A file in ``changes/`` whose name or content is invalid."""


def fragments(folder: Path) -> list[Path]:
    """The fragments in the order of their topics."""
    return sorted(path for path in folder.glob("*.md") if path.name not in ("README.md", HIGHLIGHTS))


def section(folder: Path) -> str:
    """The highlights, and the entries of all fragments by kind."""
    highlights = folder / HIGHLIGHTS
    summary = f"{highlights.read_text(encoding='utf-8')}\n" if highlights.is_file() else ""
    entries: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in fragments(folder):
        kind = path.stem.rpartition(".")[2]
        if kind not in entries:
            raise BadFragment(
                f"{path.name}: unknown kind {kind!r}. Name the file TOPIC.KIND.md, KIND being one of {KINDS}."
            )
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or not all(line.strip() and line.rstrip().endswith(".") for line in lines):
            raise BadFragment(f"{path.name}: write one sentence a line, without empty lines.")
        if any(line.lstrip().startswith(("- ", "* ")) for line in lines):
            raise BadFragment(f"{path.name}: write one sentence a line, without a dash before it.")
        entries[kind] += lines
    parts = [f"### {kind.capitalize()}\n{''.join(map(_bullet, lines))}" for kind, lines in entries.items() if lines]
    return summary + "\n".join(parts)


def updated(changelog: str, folder: Path) -> str:
    """The changelog with the section *Unreleased* of the fragments."""
    head, _, rest = changelog.partition(UNRELEASED)
    released = rest.find("\n## ")
    return f"{head}{UNRELEASED}\n{section(folder)}" + (rest[released:] if released >= 0 else "")


def release(changelog: str, folder: Path, title: str) -> str:
    """The changelog with the fragments as a release, and an empty section *Unreleased*."""
    return updated(changelog, folder).replace(UNRELEASED, f"{UNRELEASED}\n## {title}\n", 1)


def title_of(words: Sequence[str]) -> str:
    """The title of a release. Exits for anything but a version and a date, because a release deletes the fragments."""
    if len(words) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+ \d{4}-\d\d-\d\d", " ".join(words)):
        raise SystemExit("usage: python docs/changelog.py VERSION DATE, for example 0.2.0 2026-12-01")
    return " - ".join(words)


def _bullet(line: str) -> str:
    wrapped = textwrap.fill(line, 116, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")
    return f"- {wrapped}\n"


if __name__ == "__main__":
    title = title_of(sys.argv[1:])
    changelog, changes = ROOT / "CHANGELOG.md", ROOT / "changes"
    changelog.write_text(release(changelog.read_text("utf-8"), changes, title), "utf-8")
    for fragment in (*fragments(changes), changes / HIGHLIGHTS):
        fragment.unlink(missing_ok=True)
