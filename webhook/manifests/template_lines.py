"""
Finds the lines of a Helm template that made the lines of a rendered document.

A template is text, so lines are compared, not values. An action such as ``{{ .Values.name }}`` matches any text in a line. The
longest sequence of matching lines in the same order is the alignment, as in a diff. This module does no I/O.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_ACTION: Final = re.compile(r"\{\{.*?\}\}")
_MOST_COMPARISONS: Final = 400_000
"""A document and a template with more pairs of lines are not aligned: 400,000 pairs take 0.2 s."""


class _Pattern:
    """The lines that one line of a template can make."""

    __slots__ = ("_literal", "_match", "weight")

    def __init__(self, line: str) -> None:
        parts = _ACTION.split(line.rstrip())
        self._literal = parts[0] if len(parts) == 1 else None
        self._match = re.compile(".*".join(map(re.escape, parts))).fullmatch
        self.weight = sum(len(part.strip()) for part in parts)
        """The number of literal characters. A line without literal characters, such as an ``if``, makes no certain line."""

    def matches(self, line: str) -> bool:
        """Whether the line of the template can make this line."""
        return line == self._literal if self._literal is not None else self._match(line) is not None


class Template:
    """The lines of a template. Its documents are aligned one by one."""

    def __init__(self, text: str) -> None:
        self._patterns = [_Pattern(line) for line in text.split("\n")]

    def aligned(self, rendered: Sequence[str]) -> Mapping[int, int]:
        """Returns the line of the template for each line of a rendered document, if it is known. Both count from 0."""
        if len(rendered) * len(self._patterns) > _MOST_COMPARISONS:
            return {}
        lines = [line.rstrip() for line in rendered]
        pairs = _longest(lines, self._patterns)
        for number, line in enumerate(lines):
            if number not in pairs and line:  # a loop makes several lines of one
                makers = [at for at, pattern in enumerate(self._patterns) if pattern.weight and pattern.matches(line)]
                if len(makers) == 1:
                    pairs[number] = makers[0]
        return pairs


def _longest(lines: Sequence[str], patterns: Sequence[_Pattern]) -> dict[int, int]:
    """Returns the pairs of the heaviest common subsequence."""
    columns = range(len(patterns) - 1, -1, -1)
    best = [[0] * (len(patterns) + 1)]
    for line in reversed(lines):
        below, row = best[-1], [0] * (len(patterns) + 1)
        for at in columns:
            pattern = patterns[at]
            row[at] = max(below[at], row[at + 1])
            if pattern.weight and pattern.matches(line):
                row[at] = max(row[at], below[at + 1] + pattern.weight)
        best.append(row)
    best.reverse()
    pairs: dict[int, int] = {}
    number = at = 0
    while number < len(lines) and at < len(patterns):
        weight = best[number][at]
        if weight == best[number][at + 1]:
            at += 1
        elif weight == best[number + 1][at]:
            number += 1
        else:
            pairs[number] = at
            number, at = number + 1, at + 1
    return pairs
