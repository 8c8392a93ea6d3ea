"""Text from objects, made safe for terminals, logs and warnings."""

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
MAX = 500
"""Characters of one text; object names fit, pasted files do not."""


def printable(text: str) -> str:
    r"""Control, bidirectional and invisible characters as ``\\u`` escapes; long text cut."""
    return escaped(text if len(text) <= MAX else text[: MAX - 1] + "…")


def escaped(text: str) -> str:
    """As ``printable``, and uncut: file names must stay whole."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
