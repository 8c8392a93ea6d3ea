"""Text from objects, made safe for terminals, logs and warnings."""

MAX = 500
"""Characters of one text; object names fit, pasted files do not."""


def printable(text: str) -> str:
    r"""Control, bidirectional, invisible and unknown characters as ``\\u`` escapes; long text cut."""
    shown = escaped(text[: MAX + 1])
    return shown if len(shown) <= MAX else shown[: MAX - 1] + "…"


def escaped(text: str) -> str:
    """As ``printable``, and uncut: file names must stay whole."""
    return text if text.isprintable() else "".join(map(_escape, text))


def _escape(each: str) -> str:
    if each.isprintable():
        return each
    return f"\\u{ord(each):04x}" if ord(each) < 0x10000 else f"\\U{ord(each):08x}"
