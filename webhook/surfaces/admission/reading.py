"""
From bytes to an AdmissionRequest, with nothing of the body in any error.

A review whose UID can be read is always answered; all else is refused with one line (``BadReview``).
"""

import re
from dataclasses import dataclass

import msgspec

from webhook.objects.kinds import BY_GROUP_KIND, Kind
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.review import AdmissionRequest, AdmissionReview, StatusCause

MAX_DEPTH = 512
"""Levels of nesting in a review. An API server forwards up to 10,000; nothing that is read here is deeper than 30."""
MAX_UID = 256
REVIEW_VERSION = "admission.k8s.io/v1"

_decoder = msgspec.json.Decoder(AdmissionReview)
_decoders: dict[type[Kubernetes], msgspec.json.Decoder[Kubernetes]] = {}
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_UID = re.compile(rb'"request"\s*:\s*\{.{0,4096}?"uid"\s*:\s*"([^"\\]{1,256})"', re.DOTALL)


class BadReview(Exception):
    """This is not an AdmissionReview that can be answered: HTTP 400 with this one line."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A review that has a UID and cannot be judged; the causes say why."""

    uid: str
    causes: tuple[StatusCause, ...]


@dataclass(frozen=True, slots=True)
class Readable:
    """A request whose objects could be read; both are None for kinds that are not judged."""

    request: AdmissionRequest
    kind: Kind | None
    object: Kubernetes | None
    old: Kubernetes | None


def read_review(body: bytes) -> Readable | Unreadable:
    """
    The request in ``body``.

    Raises BadReview for what no API server sends: no JSON, another version, no request, no usable UID, an UPDATE
    without its old object.
    """
    deep = _too_deep(body)
    if deep:
        found = _UID.search(body)
        if found is None:
            raise BadReview(f"nesting deeper than {MAX_DEPTH} levels")
        return Unreadable(
            found[1].decode("utf-8", "replace"),
            (
                StatusCause(
                    "FieldValueInvalid", f"nesting deeper than {MAX_DEPTH} levels; nothing that KubeVirt reads is", deep
                ),
            ),
        )
    try:
        review = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
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
    try:
        new = _read(kind, request, request.object)
        old = _read(kind, request, request.old_object)
    except msgspec.ValidationError as error:
        return Unreadable(request.uid, (_wrong_type(str(error)),))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return Unreadable(
            request.uid, (StatusCause("FieldValueInvalid", "the object is not JSON that can be read", ""),)
        )
    return Readable(request, kind, new, old)


def _present(raw: msgspec.Raw) -> bool:
    return len(bytes(raw)) > 0 and bytes(raw) != b"null"


def _read(kind: Kind, request: AdmissionRequest, raw: msgspec.Raw) -> Kubernetes | None:
    """The object, with the namespace that the request names where it has none of its own yet."""
    if not _present(raw):
        return None
    decoder = _decoders.get(kind.reads)
    if decoder is None:
        decoder = _decoders[kind.reads] = msgspec.json.Decoder(kind.reads)
    read = decoder.decode(raw)
    if kind.namespaced and not read.namespace and request.namespace:
        meta = msgspec.structs.replace(read.metadata or ObjectMeta(), namespace=request.namespace)
        return msgspec.structs.replace(read, metadata=meta)
    return read


def _wrong_type(text: str) -> StatusCause:
    """msgspec names the expected type and the path, never the value."""
    message, _, path = text.partition(" - at `$")
    return StatusCause("FieldValueInvalid", f"wrong type: {message[:1].lower()}{message[1:]}", path.strip("`.")[:200])


def _too_deep(body: bytes) -> str:
    """
    The path's first keys where brackets nest deeper than ``MAX_DEPTH``, else an empty text.

    Two counts settle nearly every body; only one with that many brackets is scanned, without recursion.
    """
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return ""
    depth = 0
    keys: list[str] = []
    last = b""
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in (b"{", b"["):
            depth += 1
            if depth > MAX_DEPTH:
                return ".".join(key for key in keys[2:6] if key) or "object"
            keys.append(last[1:60].strip(b'"').decode("ascii", "replace") if last else "")
            last = b""
        elif mark in (b"}", b"]"):
            depth -= 1
            if keys:
                keys.pop()
            last = b""
        else:
            last = mark
    return ""
