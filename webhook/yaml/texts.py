"""Reads block scalars, quoted strings and plain scalars of several lines, as libyaml reads them. This module does no I/O."""

import re
from collections.abc import Sequence
from typing import Final

from webhook.yaml.line_forms import FURTHER, form_of, indentation


class UnclearError(Exception):
    """The text contains YAML that only ``reader`` reads."""


_STRING: Final = {'"': r'(?:[^"\\]|\\.)*', "'": r"(?:[^']|'')*"}
_FURTHER: Final = {sign: rf"({inside})(?:({sign})(?!{sign})[ ]*(?:(?<=[ ])#.*)?)?" for sign, inside in _STRING.items()}
"""Match a further line of a quoted string without its indentation. Group 2 is the closing quotation mark."""
_ESCAPE: Final = r'\\(?:(["\\nrtbf])|u(?![dD][89a-fA-F]|0000)([0-9a-fA-F]{4})|x(?!00)([0-9a-fA-F]{2}))'
_NAMED: Final = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def unescaped(text: str) -> str:
    """Returns the value of a string in quotation marks. Raises UnclearError for rare escapes."""
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if "\\" in re.sub(_ESCAPE, "", text):
        raise UnclearError
    return re.sub(
        _ESCAPE, lambda match: _NAMED[match[1]] if match[1] else chr(int(match[2] or match[3], 16)), text[1:-1]
    )


def plain_lines(lines: Sequence[str], number: int, column: int) -> tuple[str, int, int]:
    """
    Returns a plain scalar of several lines, the number of the line after it, and the column after it in its last line.

    The scalar starts in the last line with content before ``number``, and can go on there. Its mapping or list is at ``column``.
    """
    first = number - 1
    while not lines[first].strip(" "):
        first -= 1
    form = form_of(lines[first])
    if lines[first][form.end :].strip(" "):  # a comment ends the scalar
        raise UnclearError
    parts = [lines[first][form.start : form.end]]
    breaks, end = number - first - 1, form.end
    while number < len(lines):
        content = lines[number].lstrip(" ")
        indent = len(lines[number]) - len(content)
        if content and (indent <= column or content[0] == "#"):
            break
        number += 1
        match = re.fullmatch(FURTHER, content)
        if match is not None:
            parts += ["\n" * breaks or " ", match[1]]
            breaks, end = 0, indent + match.end(1)
            if match[2]:
                break
        elif content:
            raise UnclearError
        else:
            breaks += 1
    return "".join(parts), number - breaks, end


def quoted_lines(lines: Sequence[str], number: int, start: int, column: int) -> tuple[str, int, int]:
    """
    Returns a quoted string of several lines, the number of the line after it, and the column after it in its last line.

    The string starts in column ``start`` of the line before ``number``. Its mapping or list is at ``column``.
    """
    parts = [lines[number - 1][start:].rstrip(" ")]
    sign, breaks = parts[0][0], 0
    while number < len(lines) and "\t" not in parts[0]:
        content = lines[number].lstrip(" ")
        number += 1
        if not content:
            breaks += 1
            continue
        match, indent = re.fullmatch(_FURTHER[sign], content), len(lines[number - 1]) - len(content)
        if match is None or "\t" in content or indent <= column:
            break
        parts.append("\n" * breaks or " ")
        breaks = 0
        if match[2]:
            return unescaped("".join((*parts, match[1], sign))), number, indent + match.end(2)
        parts.append(content.rstrip(" "))
    raise UnclearError


def block_scalar(lines: Sequence[str], number: int, column: int, header: str) -> tuple[str, int]:
    """
    Returns the text of a block scalar, and the number of the line after it (``yaml_parser_scan_block_scalar`` of libyaml).

    The content starts in line ``number``. The mapping or list of the scalar is at ``column``.
    """
    count = len(lines)
    first = number
    while first < count and not lines[first].strip(" "):
        first += 1
    indent = indentation(lines[first]) if first < count else 0
    before = max(map(len, lines[number:first]), default=0)  # spaces in empty lines before the content
    if indent <= column or before > indent or lines[first].startswith("\t", indent):
        raise UnclearError
    margin = " " * indent
    last = end = first
    while end < count:
        line = lines[end]
        if line.startswith(margin):
            if len(line) > indent:
                last = end
        elif line.strip(" "):
            break
        end += 1
    if end < count and lines[end].lstrip(" ").startswith("\t"):
        raise UnclearError
    content = [line[indent:] for line in lines[number : last + 1]]
    text = _folded(content) if header[0] == ">" else "\n".join(content)
    if last == count - 1 or header[1:] == "-":  # without a line break at the end of the text, nothing is added
        return text, end
    return text + "\n" * (end - last - (end == count) if header[1:] == "+" else 1), end


def _folded(content: Sequence[str]) -> str:
    """Joins lines with spaces, except around empty lines and lines that start with a space."""
    parts: list[str] = []
    breaks, was_indented = 0, True
    for line in content:
        if not line:
            breaks += 1
            continue
        is_indented = line[0] in " \t"
        if not (was_indented or is_indented):
            parts.append("\n" * breaks or " ")
        else:
            parts.append("\n" * (breaks + (len(parts) > 0)))
        parts.append(line)
        breaks, was_indented = 0, is_indented
    return "".join(parts)
