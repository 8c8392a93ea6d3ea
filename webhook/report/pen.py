"""Formats text for a terminal: colours, and lines of a width."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from webhook.policy.policy import Action

INDENT = "       "
"""The indentation of the text below a finding."""
BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN = 1, 2, 31, 32, 33, 34, 36
COLOURS = {Action.DENY: RED, Action.WARN: YELLOW, Action.AUDIT: BLUE}


class Pen(msgspec.Struct, frozen=True):
    """Formats text with or without ANSI colours. Lines have at most ``width`` columns, unless a single word is longer."""

    colour: bool
    width: int

    def paint(self, text: str, *codes: int) -> str:
        """The text in colour, if colours are used."""
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self.colour and codes else text

    def title(self, text: str) -> list[str]:
        """``text`` in bold."""
        return [self.paint(line, BOLD) for line in self.wrap(text, "")]

    def wrap(self, text: str, indent: str = INDENT, label: str = "") -> list[str]:
        """``text`` after ``label``. Further lines are aligned with the first word of ``text``."""
        hanging = indent + " " * len(label)
        lines = _wrapped(text, max(self.width, len(hanging) + 20), hanging)
        return [
            indent + self.paint(label, BOLD) + line[len(hanging) :] if at == 0 else line
            for at, line in enumerate(lines)
        ]


@lru_cache(1024)
def _wrapped(text: str, width: int, indent: str) -> Sequence[str]:
    """Wrapped text. The result is cached, because many VMs have the same messages."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
