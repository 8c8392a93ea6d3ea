"""
Finds constructions that the project's texts avoid: in pages, and in docstrings, comments and strings of programs.

``python -m tools.style`` prints each one with file and line, and exits with status 1 if there are any. ``make check`` runs it.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "*.md",
    "examples/*.md",
    "tests/**/README.md",
    "docs/**/*.md",
    "changes/*.md",
    "deploy/**/*.md",
    "benchmarks/*.md",
    "webhook/**/*.md",
    "certs/*.md",
)
PROGRAMS = ("webhook/**/*.py", "certs/**/*.py", "deploy/**/*.py", "docs/*.py", "tools/**/*.py", "benchmarks/**/*.py")

BANNED = {
    r"(?:^|[.:;] )(?:Who|What) (?:[^.?]{25,}|[^.?]*\.)": "a sentence with 'who' or 'what' as its subject: name the subject",
    r"\b[NnSs]o(?:me)?body\b": "'nobody', 'somebody': name the user, the program or the object",
    r"\b(?:is|are|was|were) told of\b": "'is told of': the warning says, the output lists",
    r"\b(?:stands|stood)\b(?! for)": "'stands': write 'is'",
    r"\bworth (?:a|no) word\b": "'worth a word': write what is printed",
    r"\bsa(?:y|ys|id) aloud\b": "'says aloud': write 'prints', 'reports'",
    r"\b(?:is|are) none (?:that|of|which)\b": "'is none that': write 'invalid' or 'no'",
    r"\bbefore (?:it goes|they go)\b": "'before it goes': write 'before it is removed'",
    r"\bof no use\b": "'of no use': write 'invalid' or 'unusable'",
    r"\bfor this alone\b": "'for this alone': write 'only'",
    r"\b[Ww]e (?:look|ask|tell|see|know|read)s?\b": "personified code: name the program or use the passive voice",
    r"\b(?:asks|tells)\b": "personified code: 'reads', 'checks', 'reports', 'shows'",
    r"\b(?:brings|bears)\b": "'brings', 'bears': write 'sets', 'contains', 'has'",
}
"""Each construction as a regular expression, with what to write instead."""

PENDING: tuple[str, ...] = ()
"""Folders whose texts are still to be rewritten."""

KEPT = ("# What `migratable check --snapshot` needs to know of a cluster. ",)
"""Texts that files of users contain."""


class Hit(NamedTuple):
    """A banned construction at a place."""

    path: str
    line: int
    text: str
    advice: str


def prose_of_page(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a page without code blocks, headings, inline code and link targets."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith(("#", "    ", "<!--")):
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "_", line)


def prose_of_program(text: str) -> Iterator[tuple[int, str]]:
    """The docstrings, comments and messages of a program: strings of more than two words."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type in STRINGS and token.string.count(" ") > 1):
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, re.sub(r"``[^`]*``|^\W+", "", line.strip())


STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def hits(path: Path, root: Path = ROOT) -> list[Hit]:
    """The banned constructions in one file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md" and text.startswith("<!-- Generated"):
        return []
    lines = prose_of_page(text) if path.suffix == ".md" else prose_of_program(text)
    name = str(path.relative_to(root))
    return [
        Hit(name, number, line.strip(), advice)
        for number, line in lines
        for pattern, advice in BANNED.items()
        if re.search(pattern, line) and not any(kept.strip("# ") in line for kept in KEPT)
    ]


def files(root: Path = ROOT) -> list[Path]:
    """The files to read, without those that are pending and this one."""
    paths = sorted({path for pattern in (*PAGES, *PROGRAMS) for path in root.glob(pattern)})
    own = Path(__file__).resolve()
    return [path for path in paths if path != own and not str(path.relative_to(root)).startswith(PENDING or ("\0",))]


def main() -> int:
    """Prints the hits; 1 if there are any."""
    banned = [hit for path in files() for hit in hits(path)]
    for hit in banned:
        sys.stdout.write(f"{hit.path}:{hit.line}: {hit.advice}\n    {hit.text}\n")
    return 1 if banned else 0


if __name__ == "__main__":
    sys.exit(main())
