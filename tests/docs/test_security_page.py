"""SECURITY.md names tests that exist: a quick look at the files, so that `make check` notices a renamed test."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
NAMED = re.findall(r"`([a-z_/]+\.py)::(test_[a-z0-9_]+)`", (TESTS.parent / "SECURITY.md").read_text())


def test_every_named_test_is_defined_in_its_file() -> None:
    """
    `tests/test_security.py` also collects each of them with pytest.
    """
    files = {file: (TESTS / file).read_text() if (TESTS / file).exists() else "" for file, _ in NAMED}

    assert len(NAMED) > 90
    assert [f"{file}::{name}" for file, name in NAMED if f"def {name}(" not in files[file]] == []
