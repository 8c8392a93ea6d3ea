"""
Snapshots: whole outputs as files, for review in a diff.

``MIGRATABLE_REFRESH=1 pytest tests/report tests/surfaces/cli`` writes them again.
"""

import os
import re
from pathlib import Path

import pytest

from webhook import __version__

FOLDER = Path(__file__).parent
REFRESH = "MIGRATABLE_REFRESH"
REDACTIONS = (
    (re.compile(rf"(?<![\w.]){re.escape(__version__)}(?![\w.])"), "<version>"),
    (re.compile(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z?"), "<time>"),
)
"""Parts that change without a change of the output."""


def redacted(text: str) -> str:
    """The text without versions and times."""
    for pattern, replacement in REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def snapshot(name: str, text: str) -> str:
    """The recorded text of ``name``. With ``MIGRATABLE_REFRESH=1``, records ``text`` first."""
    path = FOLDER / name
    if os.environ.get(REFRESH) == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not path.is_file():
        pytest.fail(f"{path} is missing. Write it with {REFRESH}=1.", pytrace=False)
    return path.read_text(encoding="utf-8")
