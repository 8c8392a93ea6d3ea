"""Numbers that users write."""

_MOST_DIGITS = 20
"""The length of the largest 64-bit number."""


def whole_number(text: str) -> int | None:
    """
    The number that a text of up to 20 ASCII digits is, or None for another text.

    ``int`` raises ValueError for a text of more than 4,300 digits, and accepts digits of other scripts.
    """
    return int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdecimal() else None
