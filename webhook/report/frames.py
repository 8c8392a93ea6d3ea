"""
Excerpts of a file that show the place of a finding, but no secrets of the guest.

An excerpt shows only the value at fault, not other values of the same line. For an unknown field, an excerpt shows only the
name, because a misspelt ``userData`` contains secrets too.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from webhook.report.model import UNKNOWN_FIELD, FindingReport

FRAME_LINES = 3
"""
The maximum number of lines in an excerpt. Lines outside the value at fault are not shown, because they could contain a secret.
"""
_BARE = r"[\s\-\[{]*(?:[\w./\"'-]+:[\s\[{-]*)*"
"""Keys and brackets. If only these precede the value at fault on its line, the whole line can be shown."""
_CLOSING = r"[\s\]},]*"
SECRET = r"cloudinit|sysprep|userdata|networkdata|passw|secret|token|credential|private|\bkey\b|authorized"  # noqa: S105 - a pattern


class Row(msgspec.Struct, frozen=True):
    """One line of an excerpt. ``number`` is None for the line of carets."""

    number: int | None
    text: str


def gutter_of(finding: FindingReport, lines: Sequence[str]) -> int:
    """The width of the line numbers in an excerpt."""
    return len(str(_end_of(finding, lines)[0])) if _is_there(finding, lines) else 0


def rows_of(finding: FindingReport, lines: Sequence[str], room: int) -> Iterator[Row]:
    """The first lines of the value at fault, at most ``room`` columns each, with carets below the first line."""
    if not _is_there(finding, lines):
        return
    assert finding.line is not None  # noqa: S101 - narrows for the type checker
    assert finding.column is not None  # noqa: S101 - narrows for the type checker
    begin = finding.column - 1
    last, end = _end_of(finding, lines)
    bare = re.fullmatch(_BARE, lines[finding.line - 1][:begin]) is not None
    shift = max(0, begin - room // 2) if bare else begin
    for number, text in enumerate(lines[finding.line - 1 : last], finding.line):
        if re.search(SECRET, text, re.IGNORECASE):
            return
        ends = number == last and end is not None
        shown = _showable(text[:end] if ends and not re.fullmatch(_CLOSING, text[end:]) else text)
        yield Row(number, shown[shift : shift + room])
        if number == finding.line:
            stop = end if ends and end is not None else len(shown)
            yield Row(None, " " * (begin - shift) + "^" * max(1, min(stop - shift, room) - (begin - shift)))
        shift = shift if bare else 0


def _is_there(finding: FindingReport, lines: Sequence[str]) -> bool:
    return finding.line is not None and finding.column is not None and finding.line <= len(lines)


def _end_of(finding: FindingReport, lines: Sequence[str]) -> tuple[int, int | None]:
    """The last line to show, and the column (from 0) after the value if the value ends on that line."""
    line, column = finding.line or 1, finding.column or 1
    if finding.rule == UNKNOWN_FIELD:
        colon = lines[line - 1].find(":", column - 1)
        return line, colon + 1 if colon >= 0 else column
    last, end = finding.end_line or line, finding.end_column
    if end == 1 and last > line:
        last, end = last - 1, None
    shown = min(last, line + FRAME_LINES - 1)
    return shown, end - 1 if shown == last and end is not None else None


def _showable(text: str) -> str:
    """The line with each unprintable character replaced by one character, so that columns stay correct."""
    shown = text.rstrip().replace("\t", " ")
    return shown if shown.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in shown)
