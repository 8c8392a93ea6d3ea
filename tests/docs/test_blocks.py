"""A page shows the output of a command only if a test runs the command, and names only options that exist."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from docs.generate import TELLING
from tests.apiserver.admission import test_pages as kubectl
from tests.certs import test_page as certificates
from tests.ci import test_walkthrough as walk
from tests.docs import test_audit_page as audit
from tests.docs.blocks import ROOT, blocks, matches, pages, parsed, steps
from webhook.__main__ import program

RENEWED = {
    block
    for page in TELLING
    for block in blocks(f"docs/{page}".replace("docs/../", ""), "console")
    if block.text.startswith("$ migratable ") and len([*steps(block)]) == 1
}
"""`make docs` writes these blocks, and `make check` compares them."""
RUN = {*RENEWED, *kubectl.BLOCKS, *walk.BLOCKS, *audit.BLOCKS, *certificates.CONSOLE, *certificates.LOGS}
GENERATED = "<!-- Generated"
_COMMAND = re.compile(r"^(\$ |migratable |kubectl |helm |make |pip |\.venv/)", re.MULTILINE)


def faults(markdown: str, page: str = "page.md") -> Iterator[str]:
    """Blocks that no test runs, and blocks in which this test cannot find commands."""
    for block in parsed(markdown, page):
        if block.language in ("console", "text"):
            if block not in RUN:
                yield f"{block}: no test runs this block. Add it to a page in docs/generate.py, or to a test in RUN"
        elif re.search(r"^\$ ", block.text, re.MULTILINE):
            yield f"{block}: a command with its output. Write ```console"
        elif not block.language and _COMMAND.search(block.text):
            yield f"{block}: commands without a language. Write ```sh, or ```console if the output follows"
    prose = re.sub(r"^ *```.*?^ *```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    if not markdown.startswith(GENERATED) and (code := re.search(r"(?<=\n\n)(?:    |\t)(?![-*] |\d+\. ).*", prose)):
        yield f"{page}: an indented block: {code[0].strip()}. Write ```sh, or ```console if the output follows"


@pytest.mark.parametrize("page", pages())
def test_a_test_runs_each_command_whose_output_a_page_shows(page: str) -> None:
    """
    Or ``make check`` compares the block with the output.
    """
    assert [*faults((ROOT / page).read_text(encoding="utf-8"), page)] == []


@pytest.mark.parametrize(
    ("markdown", "fault"),
    [
        ("```console\n$ ls\na\n```\n", "no test runs this block"),
        ("- a\n\n  ```console\n  $ ls\n  a\n  ```\n", "no test runs this block"),
        ("```text\na\n```\n", "no test runs this block"),
        ("```sh\n$ ls\na\n```\n", "Write ```console"),
        ("```\nmigratable check .\n```\n", "commands without a language"),
        ("It prints:\n\n    $ ls\n    a\n", "an indented block"),
        ("```sh\nls\n```\n\n```\na ─ b\n```\n", ""),
    ],
)
def test_a_block_that_no_test_runs_is_found(markdown: str, fault: str) -> None:
    """
    A block `sh` has commands without output, and a block without a language is a drawing.
    """
    found = [*faults(markdown)]

    assert len(found) == bool(fault)
    assert fault in "".join(found)


def commands() -> Iterator[tuple[str, str]]:
    """
    Each command line of Migratable on a page, in a block or in the text, with the page. Decisions also name rejected options.
    """
    for page in (page for page in pages() if not page.startswith("docs/decisions/")):
        text = (ROOT / page).read_text(encoding="utf-8")
        scripts = [block.text for block in parsed(text, page) if block.language == "sh"]
        scripts += [command for block in parsed(text, page) for command, _ in steps(block)]
        for line in "\n".join(scripts).replace("\\\n", " ").splitlines():
            yield from ((page, part) for part in re.findall(r"(?:^|[|] *|kubectl )(migratable [^|>;#]*)", line))
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
        yield from ((page, part.split("|")[0]) for part in re.findall(r"`(migratable [a-z][^`]*)`", prose))


def unknown_options(line: str) -> list[str]:
    """The options of a command line that the program does not have, or the command itself."""
    words = shlex.split(re.sub(r"[\"'].*?[\"']|\$\(.*?\)", "TEXT", line))[1:]
    group = program()
    command = group.get_command(click.Context(group), words[0]) if words else None
    if command is None:
        return words[:1]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words if word.startswith("-") and word != "-" and word.partition("=")[0] not in known]


def test_pages_name_only_options_that_exist() -> None:
    """
    A command of a page is not a usage error.
    """
    found = [*commands()]

    assert len(found) > 150
    assert [(page, line, wrong) for page, line in found if (wrong := unknown_options(line))] == []


def test_an_option_that_does_not_exist_is_found() -> None:
    """
    And a command that does not exist.
    """
    assert unknown_options("migratable check . --no-such --diff") == ["--no-such"]
    assert unknown_options("migratable inspect .") == ["inspect"]


def shell_words() -> Iterator[tuple[str, str]]:
    """Each word of the commands in blocks, with the page."""
    for block in (block for page in pages() for block in blocks(page, "sh", "console")):
        commands = [command for command, _ in steps(block)] if block.language == "console" else [block.text]
        yield from ((block.page, word) for command in commands for word in re.findall(r"[^\s'\"=<>|;()]+", command))


def test_pages_name_only_files_and_targets_that_exist() -> None:
    """
    Files of the repository in commands, and targets of make.
    """
    folders = r"(?:benchmarks|ci|deploy|docs|examples|requirements|tests|webhook)/[\w./-]+"
    files = {(page, word) for page, word in shell_words() if re.fullmatch(folders, word)}
    makefile = (ROOT / "Makefile").read_text()
    text = "\n".join(block.text for page in pages() for block in blocks(page, "sh"))
    targets = set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE))

    assert len(files) > 20
    assert [(page, file) for page, file in sorted(files) if not (ROOT / file).exists()] == []
    assert {"run", "test", "check", "release"} <= targets
    assert [target for target in sorted(targets) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("printed", "is_shown"), [("a\nb\nc\n", True), ("a\nc\n", True), ("a\nb\n", False), ("b\na\nc\n", False)]
)
def test_a_page_may_leave_out_lines_of_the_output(printed: str, is_shown: bool) -> None:
    """
    A line with three dots shows the place.
    """
    assert matches(printed, "a\n...\nc\n") is is_shown
