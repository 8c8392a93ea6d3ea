"""The core tests run on every supported Python that is installed."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ci" / "test-pythons.sh"


def test_every_supported_version_is_searched() -> None:
    """
    Those that pyproject.toml names, and the one after the newest.
    """
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = [
        match[1] for classifier in classifiers if (match := re.fullmatch(r".*:: Python :: (3\.\d+)", classifier))
    ]
    asked = re.search(r"MIGRATABLE_PYTHONS:-([^}]+)}", SCRIPT.read_text())

    assert asked is not None
    assert asked[1].split()[:-1] == supported
    assert asked[1].split()[-1] == f"3.{int(supported[-1].removeprefix('3.')) + 1}"


def test_a_missing_version_is_listed_and_is_not_a_failure() -> None:
    """
    CI says what it did not run.
    """
    environment = {**os.environ, "MIGRATABLE_PYTHONS": "3.98 3.99"}

    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "passed: none; failed: none; not found: 3.98 3.99\n")
