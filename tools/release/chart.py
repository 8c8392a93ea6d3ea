"""The chart as `helm package` makes it, with the same bytes in each build, and with the changes for Artifact Hub."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tools.release.archives import compressed, files_below, tar

MOST_OF_A_KIND = 10
"""Artifact Hub shows all changes in one list. Its link `changelog` leads to all of them."""


def metadata(folder: Path) -> dict[str, Any]:
    """The content of Chart.yaml."""
    read: dict[str, Any] = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    return read


def packed(folder: Path, changelog: str, epoch: int) -> bytes:
    """The chart as a tar.gz file. Chart.yaml keeps its text, and gets the newest changes."""
    name = metadata(folder)["name"]
    files: dict[str, bytes | Path] = {**files_below(folder, name)}
    text = (folder / "Chart.yaml").read_text(encoding="utf-8")
    lines = [f"    - {json.dumps(change)}\n" for change in changes(changelog)]
    files[f"{name}/Chart.yaml"] = f"{text}  artifacthub.io/changes: |\n{''.join(lines)}".encode()
    return compressed(tar(files, epoch))


def changes(changelog: str) -> list[dict[str, str]]:
    """The entries of the newest section of the changelog that has any, as Artifact Hub reads them."""
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        parts = re.split(r"^### ", section, flags=re.MULTILINE)[1:]
        found = [change for part in parts for change in _of_kind(*part.split("\n", 1))]
        if found:
            return found
    return []


def _of_kind(kind: str, entries: str) -> list[dict[str, str]]:
    texts = re.split(r"^- ", entries, flags=re.MULTILINE)[1 : MOST_OF_A_KIND + 1]
    return [{"kind": kind.strip().lower(), "description": _without_links(" ".join(text.split()))} for text in texts]


def _without_links(text: str) -> str:
    """The text of each link. Its target is a file of the repository."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
