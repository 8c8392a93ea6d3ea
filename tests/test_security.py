"""SECURITY.md names the tests of every defence, and pytest finds each of them."""

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "SECURITY.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line]
NOT_FOUND = re.compile(r"^ERROR: (?:file or directory )?not found: (\S+)", re.MULTILINE)


def held_by(row: str) -> list[str]:
    """The tests that a row names."""
    return re.findall(r"`([^`]+)`", row.strip("| ").rpartition(" | ")[2])


def missing(names: Sequence[str]) -> set[str]:
    """The names, like `deploy/test_rights.py::test_it`, under which pytest collects nothing."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in names)], cwd=TESTS.parent, capture_output=True, text=True, check=False
    )
    lost = {path.partition("tests/")[2] for path in NOT_FOUND.findall(done.stdout + done.stderr)}
    assert done.returncode == 0 or lost, done.stdout + done.stderr
    return lost


@cache
def missing_on_the_page() -> set[str]:
    """One run of pytest for all rows."""
    return missing(sorted({name for row in ROWS for name in held_by(row)}))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.endswith("tested by |")], ids=lambda row: row[2:50].strip()
)
def test_every_defence_names_tests_that_pytest_collects(row: str) -> None:
    """
    Each row names at least one test by file and function, and pytest collects every one.
    """
    named = held_by(row)

    assert named
    assert [name for name in named if not re.fullmatch(r"[a-z_/]+\.py::test_[a-z0-9_]+", name)] == []
    assert set(named) & missing_on_the_page() == set()


def test_a_test_that_was_renamed_is_missed() -> None:
    """
    A file that exists does not stand in for its tests.
    """
    here = "test_security.py::test_every_defence_names_tests_that_pytest_collects"
    renamed = "test_security.py::test_that_was_renamed"

    assert missing([here, renamed]) == {renamed}
