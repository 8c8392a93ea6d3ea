"""``make rule`` writes a rule whose checks pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from webhook.rules.register import RULES

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("webhook", "tests", "tools", "pyproject.toml")
NEW = [
    ("network", "slow-interface", "1"),
    ("devices", "odd-device", "3"),
    ("eviction", "late-eviction", "5"),
    ("manifest", "odd-manifest", "8"),
]
"""A family with each form of import and each tuple, with the digit of its ids."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that may be changed."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "data", "node_modules")
            )
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_new_rules_are_registered_and_their_checks_pass(copy: Path) -> None:
    """
    A rule of each family has the next id, is in the list of all rules, and passes the tests of rules and the linter.
    """
    numbers = []
    for family, name, digit in NEW:
        number = f"LM{max(int(rule.id[2:]) for rule in RULES if rule.id[2] == digit) + 1}"
        numbers.append(number)
        made = run(copy, "tools.new_rule", name, family)
        assert made.returncode == 0, made.stderr
        assert made.stdout.startswith(
            f"webhook/rules/{family}/{name.replace('-', '_')}.py: {number} {name}, registered"
        )

    new = " or ".join(numbers)
    tested = run(copy, "pytest", "tests/rules", "-q", "-p", "no:cacheprovider", "-k", f"{new} or listed or registered")
    linted = run(copy, "ruff", "check", "--no-cache", "webhook/rules")
    formatted = run(copy, "ruff", "format", "--no-cache", "--check", "webhook/rules")

    assert tested.returncode == 0, tested.stdout
    assert (linted.returncode, formatted.returncode) == (0, 0), linted.stdout + formatted.stdout


@pytest.mark.parametrize(
    ("name", "family", "message"),
    [
        ("host-device", "devices", "error: rule host-device exists already. Choose another name."),
        (
            "Host_Device",
            "devices",
            "error: invalid name 'Host_Device'. Write lower-case words with dashes between them",
        ),
        ("host-device", "settings", "argument family: invalid choice: 'settings'"),
    ],
)
def test_a_rule_that_cannot_be_written_is_an_error(copy: Path, name: str, family: str, message: str) -> None:
    """
    A used or invalid name, and a family without a template, are named; no file changes.
    """
    before = {path: path.read_bytes() for path in (copy / "webhook" / "rules").rglob("*.py")}

    made = run(copy, "tools.new_rule", name, family)

    assert made.returncode == 2
    assert message in made.stderr
    assert {path: path.read_bytes() for path in (copy / "webhook" / "rules").rglob("*.py")} == before
