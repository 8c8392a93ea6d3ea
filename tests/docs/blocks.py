"""The fenced blocks of the Markdown pages, and the commands with output in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = (
    ".github",
    "benchmarks",
    "certs",
    "changes",
    "ci",
    "deploy",
    "docs",
    "examples",
    "tests",
    "tools",
    "webhook",
)
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>[^\n`]*)\n(?P<text>.*?)^ *(?P=fence)`*~* *$",
    re.MULTILINE | re.DOTALL,
)
_LEFT_OUT = "...\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. Language `console` is a command with its output, and `text` is output alone."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """All Markdown files of the repository, except golden files of tests."""
    below = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md")]
    paths = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *below])
    return [path.as_posix() for path in paths if "snapshots" not in path.parts]


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of a page, of some languages or of all."""
    found = [*parsed((ROOT / page).read_text(encoding="utf-8"), page)]
    return [block for block in found if not languages or block.language in languages]


def parsed(markdown: str, page: str) -> Iterator[Block]:
    """The blocks of a text."""
    for match in _FENCE.finditer(markdown):
        line = markdown.count("\n", 0, match.start()) + 1
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        yield Block(page, line, match["language"].strip(), text)


def steps(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a block `console` with its output. A command continues on lines that begin with ``> ``."""
    for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = step.partition("\n")
        while printed.startswith("> "):
            more, _, printed = printed.removeprefix("> ").partition("\n")
            command += f"\n{more}"
        yield command, printed


def matches(printed: str, expected: str) -> bool:
    """Whether the output of a program equals the text on a page. A line `...` matches any number of lines."""
    parts = [re.escape(part) for part in re.split(rf"^{re.escape(_LEFT_OUT)}", expected, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)?".join(parts), printed, re.DOTALL) is not None
