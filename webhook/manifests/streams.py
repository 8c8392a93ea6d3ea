"""Reads standard input and pipes, and converts UTF-16."""

import sys
from contextlib import nullcontext

from webhook.errors import BadInput

MAX_STREAM_BYTES = 256 * 1024 * 1024
"""Maximum size of a stream in bytes. The memory that a check needs grows with the size."""
_FIRST_BYTES = 1 << 16
_ENCODINGS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""The UTF-16 encodings by their byte order marks."""


def read_stream(path: str, name: str) -> tuple[str, bytes]:
    """
    Returns the encoding of standard input (``-``) or a pipe, and the content as UTF-8.

    Stops early if the first bytes are not text, because the data of a device can be endless. Raises BadInput if the stream
    cannot be read.
    """
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as stream:  # noqa: PTH123
            content = stream.read(_FIRST_BYTES)
            if b"\0" not in content or content[:2] in _ENCODINGS:
                content += stream.read(MAX_STREAM_BYTES + 1 - len(content))
    except OSError as error:
        remedy = "Check the path and its permissions."
        raise BadInput(f"cannot be read: {error.strerror}", remedy=remedy, source=name) from None
    return utf_8_of(content, name)


def utf_8_of(content: bytes, name: str) -> tuple[str, bytes]:
    """
    Returns the encoding, and the content as UTF-8. UTF-16 must start with a byte order mark.

    kubectl reads files in the same way (unicode.BOMOverride in cli-runtime's FileVisitor). Raises BadInput for invalid UTF-16.
    """
    encoding = _ENCODINGS.get(content[:2])
    if encoding is None:
        return "utf-8", content
    try:
        return encoding, str(content[2:], encoding).encode()
    except UnicodeDecodeError:
        raise BadInput("invalid UTF-16", remedy="Save the file as UTF-8.", source=name) from None
