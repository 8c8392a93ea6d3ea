"""Golden files: the whole output, read in review. ``MIGRATABLE_GOLDEN=refresh`` writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> str:
    """The recorded text of ``name``; where a refresh is asked for, ``text`` becomes it."""
    path = FOLDER / name
    if os.environ.get("MIGRATABLE_GOLDEN") == "refresh":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")
