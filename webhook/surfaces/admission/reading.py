"""
From bytes to an AdmissionRequest, with nothing of the body in any error.

A review whose UID can be read is always answered; all else is refused with one line (``BadReview``).
"""

import re
from array import array
from dataclasses import dataclass
from itertools import accumulate

import msgspec

from webhook.objects.kinds import BY_GROUP_KIND, Kind
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.nulls import is_about_null, without_nulls
from webhook.objects.review import AdmissionRequest, AdmissionReview, StatusCause

MAX_DEPTH = 512
"""Levels of nesting in an object. An API server forwards up to 10,000; nothing that is read here is deeper than 30."""
MAX_UID = 256
WHOLE = "object"
"""The field path of a cause that is about all of an object, as the review calls it."""
HEARTBEATS = "VirtualMachineInstance"
"""The kind without a status subresource: each write of its status is an UPDATE of the whole."""
REVIEW_VERSION = "admission.k8s.io/v1"

_decoder = msgspec.json.Decoder(AdmissionReview)
_decoders: dict[type[Kubernetes], msgspec.json.Decoder[Kubernetes]] = {}
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_HEAD = 8192
"""Bytes in which an API server writes everything that stands before the objects."""
_UID = re.compile(rb'"request"\s*:\s*\{.{0,4096}?"uid"\s*:\s*"([^"\\]{1,256})"', re.DOTALL)
_NAMESPACE = re.compile(rb'"namespace"\s*:\s*"([a-z0-9-]{1,63})"\s*,\s*"operation"')
_OPERATION = re.compile(rb'"operation"\s*:\s*"([A-Z]{1,16})"')
_OPENING, _CLOSING = b"[{", b"]}"
_UP, _DOWN = 1, 255
"""One level more, and one less: -1 in a signed byte."""
_STEPS = bytes.maketrans(_OPENING + _CLOSING, bytes((_UP, _UP, _DOWN, _DOWN)))
_DULL = bytes(byte for byte in range(256) if byte not in _OPENING + _CLOSING + b'"')
_NOT_OPENING = bytes(byte for byte in range(256) if byte not in _OPENING)
_NOT_CLOSING = bytes(byte for byte in range(256) if byte not in _CLOSING)
_BLOCK, _FEW = 256, 256


class BadReview(Exception):
    """This is not an AdmissionReview that can be answered: HTTP 400 with this one line."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A review that has a UID and cannot be judged; the causes say why."""

    uid: str
    causes: tuple[StatusCause, ...]
    passes: bool = False
    """Whether there is nothing to refuse: what was stored cannot be read either, or the operation is never blocked."""
    kind: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Readable:
    """A request whose objects could be read; both are None for kinds that are not judged."""

    request: AdmissionRequest
    kind: Kind | None
    object: Kubernetes | None
    old: Kubernetes | None
    old_is_hidden: bool = False
    """Whether what is replaced cannot be read, so that nobody can tell what of the new object is new harm."""


def read_review(body: bytes) -> Readable | Unreadable:
    """
    The request in ``body``.

    Raises BadReview for what no API server sends: no UTF-8 (it replaces what is none), no JSON, another version, no
    request, no usable UID, an UPDATE without its old object.
    """
    try:
        if not body.isascii():
            body.decode()  # objects are read in part, and msgspec looks only at the text that it reads
        review = _decoder.decode(body)
    except RecursionError:
        return _endless(body)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise BadReview("the body is not an AdmissionReview in JSON") from None
    request = review.request
    if review.kind != "AdmissionReview" or review.api_version != REVIEW_VERSION:
        raise BadReview(f"the body is not an AdmissionReview of {REVIEW_VERSION}")
    if request is None:
        raise BadReview("the AdmissionReview holds no request")
    if not 0 < len(request.uid) <= MAX_UID:
        raise BadReview("the AdmissionReview's request.uid is empty or too long")
    kind = BY_GROUP_KIND.get((request.kind.group, request.kind.kind))
    if kind is None or not kind.judged:
        return Readable(request, None, None, None)
    if request.operation == "UPDATE" and not _present(request.old_object):
        raise BadReview("an UPDATE without oldObject")
    if request.operation in ("CREATE", "UPDATE") and not _present(request.object):
        raise BadReview(f"a {request.operation} without object")
    new = _read(kind, request, request.object)
    old = _read(kind, request, request.old_object)
    if isinstance(new, StatusCause):
        passes = isinstance(old, StatusCause) or is_never_judged(request)
        return Unreadable(request.uid, (new,), passes, request.kind.kind, request.name, request.namespace)
    if isinstance(old, StatusCause):
        if request.operation == "DELETE":
            return Unreadable(request.uid, (), passes=True)
        return Readable(request, kind, new, None, old_is_hidden=True)
    return Readable(request, kind, new, old)


def is_never_judged(request: AdmissionRequest) -> bool:
    """Whether a request passes whatever it holds: writes of status and scale, and virt-handler's heartbeats."""
    return bool(request.sub_resource) or (request.operation == "UPDATE" and request.kind.kind == HEARTBEATS)


def _endless(body: bytes) -> Unreadable:
    """A review whose objects nest deeper than any parser here goes: its first bytes tell who asks, and a scan the place."""
    head = body[:_HEAD]
    uid, operation = _UID.search(head), _OPERATION.search(head)
    if uid is None:
        raise BadReview(f"nesting deeper than {MAX_DEPTH} levels")
    deep = _deep_places(body)
    cause = _nested(next((place for root, place in deep.items() if root != "oldObject"), ""))
    passes = (operation is not None and operation[1] == b"DELETE") or "oldObject" in deep
    return Unreadable(uid[1].decode("utf-8", "replace"), (cause,), passes, namespace=namespace_in(body))


def namespace_in(body: bytes) -> str:
    """The namespace that a review is about, by its first bytes, without reading it; empty where they name none."""
    found = _NAMESPACE.search(body, 0, _HEAD)
    return found[1].decode() if found is not None else ""


def _nested(place: str) -> StatusCause:
    return _cause(f"nesting deeper than {MAX_DEPTH} levels; nothing that KubeVirt reads is", place)


def _cause(message: str, place: str) -> StatusCause:
    return StatusCause("FieldValueInvalid", message, place or WHOLE)


def _present(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _read(kind: Kind, request: AdmissionRequest, raw: msgspec.Raw) -> Kubernetes | StatusCause | None:
    """
    The object, with the namespace that the request names where it has none of its own yet; or why it cannot be read.
    """
    if not _present(raw):
        return None
    if _is_deep(raw):
        return _nested(next(iter(_deep_places(bytes(raw), levels=0).values()), ""))
    decoder = _decoders.get(kind.reads)
    if decoder is None:
        decoder = _decoders[kind.reads] = msgspec.json.Decoder(kind.reads)
    try:
        read = _decoded(decoder, raw)
    except msgspec.ValidationError as error:
        return _wrong_type(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return _cause("the object is not JSON that can be read", "")
    if kind.namespaced and not read.namespace and request.namespace:
        meta = msgspec.structs.replace(read.metadata or ObjectMeta(), namespace=request.namespace)
        return msgspec.structs.replace(read, metadata=meta)
    return read


def _decoded(decoder: msgspec.json.Decoder[Kubernetes], raw: msgspec.Raw) -> Kubernetes:
    """Raises whatever the decoder does; of metadata in templates API servers know no types, and ``null`` is none."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        if not is_about_null(error):
            raise
        return decoder.decode(msgspec.json.encode(without_nulls(msgspec.json.decode(raw))))


def _wrong_type(text: str) -> StatusCause:
    """msgspec names the expected type and the path, never the value."""
    message, _, path = text.partition(" - at `$")
    return _cause(f"wrong type: {message[:1].lower()}{message[1:]}", path.strip("`.")[:200])


def _is_deep(raw: msgspec.Raw) -> bool:
    """
    Whether an object nests deeper than ``MAX_DEPTH``.

    In the first half no more levels are open than brackets were opened there, in the second no more than are closed there.
    Of brackets that hold nothing but plain values, no two are open at a time, so other objects need no more than counts; a
    pair with a string between its brackets is not one, because quotes are kept. The rest is counted block by block, and only
    in a block that opens enough to go too deep bracket by bracket.
    """
    body = bytes(raw)
    half = len(body) // 2
    opened, closed = body[:half].translate(None, _NOT_OPENING), body[half:].translate(None, _NOT_CLOSING)
    if len(opened) < MAX_DEPTH and len(closed) < MAX_DEPTH:
        return False
    marks = body.translate(None, _DULL)
    room = MAX_DEPTH - marks.count(b"{") - marks.count(b"[")
    if room > 0 or (room := room + marks.count(b"{}")) > 0 or room + marks.count(b"[]") > 0:
        return False
    steps = _outside_strings(body, marks).translate(_STEPS)
    depth = 0
    for begin in range(0, len(steps), _BLOCK):
        block = steps[begin : begin + _BLOCK]
        up = block.count(_UP)
        if depth + up > MAX_DEPTH and max(accumulate(array("b", block), initial=depth)) > MAX_DEPTH:
            return True
        depth += 2 * up - len(block)
    return False


def _outside_strings(body: bytes, marks: bytes) -> bytes:
    """The brackets of JSON that are not within strings; ``marks`` are all its brackets and quotes."""
    _, *escaped = body.split(b"\\", _FEW)
    if len(escaped) == _FEW or not {each[:1] for each in escaped}.isdisjoint((b'"', b"")):
        # an escaped quote, or a backslash that escapes another
        marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _DULL)
    return b"".join(marks.replace(b'""', b"").split(b'"')[::2])


def _deep_places(body: bytes, levels: int = 2) -> dict[str, str]:
    """
    Where nesting goes deeper than ``MAX_DEPTH``: the first few keys on the way, by the key at the ``levels``-th level.

    ``levels`` is 2 for a whole review, so that ``object`` and ``oldObject`` are told apart; without recursion.
    """
    depth = 0
    keys: list[str] = []
    last = b""
    found: dict[str, str] = {}
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in (b"{", b"["):
            depth += 1
            if depth <= MAX_DEPTH:
                keys.append(last[1:60].strip(b'"').decode("ascii", "replace") if last else "")
            elif depth == MAX_DEPTH + 1:
                way = [key for key in keys[1 + levels : 5 + levels] if key]
                found.setdefault(keys[levels] if len(keys) > levels else "", ".".join(way))
            last = b""
        elif mark in (b"}", b"]"):
            if depth <= MAX_DEPTH and keys:
                keys.pop()
            depth -= 1
            last = b""
        else:
            last = mark
    return found
