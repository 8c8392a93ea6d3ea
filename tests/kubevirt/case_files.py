"""Reads files of cases that KubeVirt's own code has answered: JSON lines, plain or compressed with gzip."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_GZIP = b"\x1f\x8b"


class BadFile(Exception):
    """A file that this program cannot read."""


def lines_of(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The JSON object in each line of a file, and the place of the line. Raises BadFile for other content."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content.startswith(_GZIP) else content).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _object(line, f"{path}: line {number}"), f"{path}: line {number}"


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise BadFile(f"{place}: {error}") from error
    if not isinstance(value, dict):
        raise BadFile(f"{place}: the line is no JSON object")
    return value
