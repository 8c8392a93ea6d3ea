"""Fixtures of the tests of checks in several processes and of large checks."""

from pathlib import Path

import pytest

from tests.surfaces.cli import odd_repository
from webhook.check import parallel
from webhook.surfaces.cli import run_check


@pytest.fixture
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are enough for several processes."""
    monkeypatch.setattr(run_check, "FILES_PER_PROCESS", 1)
    monkeypatch.setattr(parallel, "FIRST", 1)
    monkeypatch.setattr(parallel, "BLOCK", 3)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with all that a check reports, and all that it leaves out."""
    odd_repository.write_to(tmp_path)
    return tmp_path
