"""The program that finds banned constructions."""

import re
from pathlib import Path

import pytest

from tools.style import BANNED, hits, main

BAD = {
    "Who sends 3 MiB holds up others.": "'who' or 'what'",
    "It works. What is unread stays so.": "'who' or 'what'",
    "A request that nobody answers.": "'nobody'",
    "An expired exemption is told of.": "'is told of'",
    "The key stands twice.": "'stands'",
    "A good VM is worth no word.": "'worth a word'",
    "It says aloud that it failed.": "'says aloud'",
    "Its name is none that a file can have.": "'is none that'",
    "It is read before it goes.": "'before it goes'",
    "A file that is of no use.": "'of no use'",
    "It is read for this alone.": "'for this alone'",
    "Here we look at files.": "personified code",
    "The server asks for a list.": "personified code",
    "An instancetype brings a device.": "'brings'",
}


def advice_on(tmp_path: Path, name: str, text: str) -> list[str]:
    """The advice that a file gets."""
    (tmp_path / name).write_text(text)
    return [hit.advice for hit in hits(tmp_path / name, tmp_path)]


@pytest.mark.parametrize("sentence", BAD)
def test_each_banned_construction_is_found_in_pages_and_programs(tmp_path: Path, sentence: str) -> None:
    """
    In prose, docstrings, comments and messages.
    """
    texts = {"page.md": sentence, "a.py": f'"""{sentence}"""', "b.py": f"# {sentence}", "c.py": f'say("{sentence}")'}
    for name, text in texts.items():
        [advice] = advice_on(tmp_path, name, f"{text}\n")
        assert BAD[sentence] in advice


def test_every_construction_has_an_example() -> None:
    """
    A pattern without one could stop matching unnoticed.
    """
    assert [pattern for pattern in BANNED if not any(re.search(pattern, sentence) for sentence in BAD)] == []


@pytest.mark.parametrize(
    "text",
    [
        "`nobody` is a user.\n",
        "```console\nnobody asks\n```\n",
        "## What changed\n",
        "What is a VMI? It is an object.\n",
        "<!-- Generated from webhook/rules. -->\nnobody\n",
        "A stand-in for a Service understands YAML.\n",
    ],
)
def test_code_headings_questions_and_generated_pages_are_left_out(tmp_path: Path, text: str) -> None:
    """
    A generated page is corrected at its source.
    """
    assert advice_on(tmp_path, "page.md", text) == []


def test_names_in_code_are_left_out(tmp_path: Path) -> None:
    """
    Only docstrings, comments and strings of several words are texts.
    """
    assert advice_on(tmp_path, "a.py", "asks = nobody(stands='brings')\n") == []


def test_the_project_has_no_banned_construction(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each one is printed with file, line and advice.
    """
    assert main() == 0, capsys.readouterr().out
