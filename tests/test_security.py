"""SECURITY.md promises nothing that no test holds."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "SECURITY.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line]


def held_by(row: str) -> list[str]:
    cell = row.strip("| ").rpartition(" | ")[2]
    return re.findall(r"`([a-z_/]+(?:\.py|/))`", cell)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.endswith("held by |")], ids=lambda row: row[2:50].strip()
)
def test_every_threat_is_held_by_tests_that_exist(row: str) -> None:
    """
    Each row names at least one file or folder of tests, and every one that it names is there and has tests in it.
    """
    named = held_by(row)

    assert named
    for name in named:
        path = TESTS / name
        files = sorted(path.rglob("test_*.py")) if name.endswith("/") else [path]
        assert any(has_tests(file) for file in files), name


def has_tests(file: Path) -> bool:
    parsed = ast.walk(ast.parse(file.read_text()))
    return any(isinstance(each, ast.FunctionDef) and each.name.startswith("test_") for each in parsed)
