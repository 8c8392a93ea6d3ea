"""
Messages between the server and the judging process.

The server sends pickles. The judging process has read untrusted bytes, so the server never unpickles its replies. The
server decodes each reply as one of these structs.
"""

from typing import TypeAlias

import msgspec

from webhook.check.check import Settings
from webhook.errors import BadInput, Misconfigured, Unavailable
from webhook.objects.kinds import BY_CLASS

KINDS = {kind.__name__: kind for kind in BY_CLASS}


class Namespaces(msgspec.Struct, frozen=True):
    """A request for the namespaces of the manifests in a body."""

    content: bytes


class Extras(msgspec.Struct, frozen=True):
    """Parts of the report that only the dry-run API adds."""

    edits: bool = False
    """Fixes as changes to the text."""
    compare: bool = False
    """The verdicts of all published releases."""
    unreadable: bool = False
    """A report also if all objects are unreadable, instead of an error."""


class Check(msgspec.Struct, frozen=True):
    """A request for the report on the manifests in a body. ``asks`` is true if the server answers lookups."""

    content: bytes
    settings: Settings
    asks: bool
    notes: tuple[str, ...] = ()
    extras: Extras = Extras()


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    """A lookup of one object, or of all objects of a kind if ``name`` is None."""

    kind: str
    namespace: str = ""
    name: str | None = None
    for_advice: bool = False
    """Whether only advice needs the result. Such a lookup causes no read from the API server."""


class NamespacesFound(msgspec.Struct, frozen=True, tag="namespaces"):
    """The namespaces of the manifests."""

    namespaces: list[str]


class Reported(msgspec.Struct, frozen=True, tag="report"):
    """The report as JSON."""

    report: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An error."""

    code: str
    message: str
    remedy: str = ""
    source: str = ""
    document: int | None = None
    line: int | None = None
    column: int | None = None
    path: str = ""

    @classmethod
    def of(cls, error: Exception) -> "Failed":
        """
        The message for an error. For an unexpected error, the message has only the type, because the text of the error can
        contain the body.
        """
        if isinstance(error, BadInput):
            place = (error.source, error.document, error.line, error.column, error.path)
            return cls(error.code, error.message, error.remedy, *place)
        if isinstance(error, Unavailable | Misconfigured):
            return cls(error.code, error.message, error.remedy)
        return cls("internal", type(error).__name__)

    def error(self) -> Exception:
        """The error that the judging process reported."""
        if self.code == BadInput.code:
            return BadInput(
                self.message,
                remedy=self.remedy,
                source=self.source,
                document=self.document,
                line=self.line,
                column=self.column,
                path=self.path,
            )
        for kind in (Unavailable, Misconfigured):
            if self.code == kind.code:
                return kind(self.message, remedy=self.remedy)
        return RuntimeError(f"{self.message} in the judging process")


Reply: TypeAlias = Lookup | NamespacesFound | Reported | Failed

_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_encoder = msgspec.msgpack.Encoder()


def decode_reply(frame: bytes) -> Reply:
    """The struct in a frame from the judging process; raises msgspec.DecodeError."""
    try:
        return _decoder.decode(frame)
    except RecursionError:
        raise msgspec.DecodeError("the frame nests too deep") from None


def encode_reply(reply: Reply) -> bytes:
    """The frame of a struct."""
    return _encoder.encode(reply)
