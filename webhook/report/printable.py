"""Makes text from objects safe for terminals, logs and warnings."""

MAX = 500
"""Maximum number of characters in a text. Object names fit. The text of a whole file is cut."""


def printable(text: str) -> str:
    r"""The text with unprintable characters (control, bidirectional, invisible) as ``\\u`` escapes. Long text is cut."""
    if len(text) <= MAX and text.isprintable():  # nearly every text
        return text
    shown = escaped(text[: MAX + 1])
    return shown if len(shown) <= MAX else shown[: MAX - 1] + "…"


def escaped(text: str) -> str:
    """Escapes text as ``printable`` does, but never cuts it. File names must not be cut."""
    return text if text.isprintable() else "".join(map(_escape, text))


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
