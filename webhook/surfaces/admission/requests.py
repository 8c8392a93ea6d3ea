"""
Decodes an AdmissionRequest. Errors never contain content of the body.

A review with a readable UID always gets a response. Other bodies get a one-line error (``BadReview``).
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import msgspec

from webhook.objects.json_depth import MAX_DEPTH, Place, decode, deep_places, is_deep, truncated
from webhook.objects.kinds import BY_GROUP_KIND, KINDS, PATCHED_COPY_BY_GROUP_KIND, Kind
from webhook.objects.lenient import metadata_alone, parse, read_object
from webhook.objects.meta import Kubernetes, ObjectMeta
from webhook.objects.path import dotted
from webhook.objects.review import AdmissionRequest, AdmissionReview, RawRequest, StatusCause, TypedReview
from webhook.objects.type_errors import type_fault
from webhook.surfaces.admission.judged_part import is_judged, only_judged, same_judged_part

K = TypeVar("K", bound=Kubernetes)

_ABOVE = 2
"""The number of JSON levels above the objects in a review: the review itself and its request."""
MAX_UID = 256
WHOLE = "object"
"""The field path in a cause that concerns the whole object."""
HEARTBEATS = "VirtualMachineInstance"
"""The kind without a status subresource: each write of its status is an UPDATE of the whole object."""
REVIEW_VERSION = "admission.k8s.io/v1"

_decoder = msgspec.json.Decoder(AdmissionReview)
_HEAD = 8192
"""
The number of bytes at the start of a review that are searched for the namespace. API servers write the objects after the
namespace.
"""
_NAMESPACE = re.compile(rb'"namespace"\s*:\s*"([a-z0-9-]{1,63})"\s*,\s*"operation"')
"""The pattern of the namespace in the first bytes of a review."""
_KIND = re.compile(rb'"request":\s*\{"uid":"[^"]*","kind":\{"group":"([^"]*)","version":"[^"]*","kind":"([^"]*)"\}')
"""The start of a request, as API servers write it."""
_JUDGED = {(kind.group.encode(), kind.kind.encode()): kind for kind in KINDS if kind.judged}
_NOWHERE: frozenset[Place] = frozenset()


class BadReview(Exception):
    """The body is not a usable AdmissionReview. The response is HTTP 400 with the error as one line."""


@dataclass(frozen=True, slots=True)
class UnreadableRequest:
    """A request with an unreadable object. ``causes`` contains the reason."""

    request: AdmissionRequest
    causes: tuple[StatusCause, ...]
    passes: bool
    """Whether the request is allowed, because its judged part is unchanged or its operation is never blocked."""
    object: Kubernetes | None
    """The metadata of the new object; None if the metadata cannot be read either."""
    old: Kubernetes | None
    """The old object, or only its metadata if the rest cannot be read."""


class DecodedRequest(msgspec.Struct, frozen=True):
    """A request with a readable new object. ``object`` and ``old`` are None for kinds that are not judged."""

    request: AdmissionRequest
    kind: Kind | None
    object: Kubernetes | None
    old: Kubernetes | None
    same_as_unreadable: bool = False
    """Whether the old object cannot be read (``old`` is None), but its judged part is known to be unchanged."""
    body: bytes = b""
    """The review, if it was read in one pass. Its raw objects are read from the body again."""

    def raw_object(self) -> msgspec.Raw:
        """The new object in JSON."""
        request: AdmissionRequest | None = self.request
        if not isinstance(request, RawRequest):
            request = decode(_decoder, self.body).request
        return request.object if isinstance(request, RawRequest) else msgspec.Raw(b"null")


class _Part(msgspec.Struct, frozen=True):
    """One object of a review, or the reason why it cannot be read."""

    object: Kubernetes | None = None
    cause: StatusCause | None = None
    deep: frozenset[Place] = _NOWHERE
    """The places in the judged part of the object where the nesting is too deep."""


_NOTHING = _Part()


def read_review(body: bytes) -> DecodedRequest | UnreadableRequest:
    """
    The request in ``body``.

    Raises BadReview for a body that no API server sends. Reasons: it is not UTF-8 (an API server replaces invalid bytes) or not
    JSON, it has another version, or it lacks the request, a usable UID or the old object of an UPDATE.
    """
    return _read_at_once(body) or _read_in_two_passes(body)


def _read_at_once(body: bytes) -> DecodedRequest | None:
    """
    The request with its objects, read in one pass, which takes half of the time.

    The result is None for an unusual review: its kind is not at its start, it has a wrong type, or it nests deep.
    """
    match = _KIND.search(body, 0, _HEAD)
    kind = _JUDGED.get((match[1], match[2])) if match is not None else None
    if kind is None:
        return None
    try:
        _check_text(body)
        if is_deep(body):
            return None
        review = decode(_typed_decoder_of(kind.reads), body)
    except ValueError:
        return None
    request = review.request
    if (
        request is None
        or review.kind != "AdmissionReview"
        or review.api_version != REVIEW_VERSION
        or not 0 < len(request.uid) <= MAX_UID
        or (request.kind.group, request.kind.kind) != (kind.group, kind.kind)
        or (request.old_object is None and request.operation == "UPDATE")
        or (request.object is None and request.operation in ("CREATE", "UPDATE"))
    ):
        return None
    new, old = request.object, request.old_object
    return DecodedRequest(
        request,
        kind,
        None if new is None else _completed(new, request),
        None if old is None else _completed(old, request),
        body=body,
    )


def _check_text(body: bytes) -> None:
    """Raises UnicodeDecodeError. msgspec validates only the text that it decodes, and objects are only partly decoded."""
    if not body.isascii():
        body.decode()


def _read_in_two_passes(body: bytes) -> DecodedRequest | UnreadableRequest:
    """The request. Its objects are read when its kind is known."""
    try:
        _check_text(body)
        review = decode(_decoder, body, MAX_DEPTH + _ABOVE)
    except ValueError:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise BadReview("the body is not an AdmissionReview in JSON") from None
    request = review.request
    if review.kind != "AdmissionReview" or review.api_version != REVIEW_VERSION:
        raise BadReview(f"the body is not an AdmissionReview of {REVIEW_VERSION}")
    if request is None:
        raise BadReview("the AdmissionReview has no request")
    if not 0 < len(request.uid) <= MAX_UID:
        raise BadReview("the AdmissionReview's request.uid is empty or too long")
    group_kind = request.kind.group, request.kind.kind
    kind = BY_GROUP_KIND.get(group_kind)
    if kind is None or not kind.judged:
        return DecodedRequest(request, PATCHED_COPY_BY_GROUP_KIND.get(group_kind), None, None)
    if request.operation == "UPDATE" and not _present(request.old_object):
        raise BadReview("an UPDATE without oldObject")
    if request.operation in ("CREATE", "UPDATE") and not _present(request.object):
        raise BadReview(f"a {request.operation} without object")
    return _read_objects(kind, request)


def _read_objects(kind: Kind, request: RawRequest) -> DecodedRequest | UnreadableRequest:
    """
    The request with its objects.

    An unreadable object must not be treated better than a bad object, so it is denied unless its judged part is unchanged. If
    the old object is unreadable, every finding in the new object counts as new, unless the judged part is unchanged.
    """
    new, old = _read(kind, request, request.object), _read(kind, request, request.old_object)
    cause = new.cause
    if cause is None and not new.deep <= old.deep:
        cause = _nested(min(new.deep - old.deep))
    if cause is not None:
        passes = is_never_judged(request) or _is_same(kind, request)
        stored = old.object or _metadata(kind, request.old_object)
        return UnreadableRequest(request, (cause,), passes, _metadata(kind, request.object), stored)
    if old.cause is not None:
        return DecodedRequest(request, kind, new.object, None, same_as_unreadable=_is_same(kind, request))
    return DecodedRequest(request, kind, new.object, old.object)


def _metadata(kind: Kind, raw: msgspec.Raw) -> Kubernetes | None:
    try:
        return metadata_alone(parse(raw), kind.reads) if _present(raw) else None
    except ValueError:
        return None


def _is_same(kind: Kind, request: RawRequest) -> bool:
    return _present(request.old_object) and same_judged_part(kind.kind, request.object, request.old_object)


def is_never_judged(request: AdmissionRequest) -> bool:
    """Whether a request is allowed without judging: writes of status and scale, and virt-handler's heartbeats."""
    return bool(request.sub_resource) or (request.operation == "UPDATE" and request.kind.kind == HEARTBEATS)


def namespace_in(body: bytes) -> str:
    """
    The namespace in the first bytes of a review, found without decoding the review. The result is empty if these bytes contain
    no namespace.
    """
    match = _NAMESPACE.search(body, 0, _HEAD)
    return match[1].decode() if match is not None else ""


def _nested(place: Place) -> StatusCause:
    return _cause(f"nesting deeper than {MAX_DEPTH} levels. KubeVirt reads no field this deep", ".".join(place))


def _cause(message: str, place: str) -> StatusCause:
    return StatusCause("FieldValueInvalid", message, place or WHOLE)


def _present(raw: msgspec.Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _read(kind: Kind, request: RawRequest, raw: msgspec.Raw) -> _Part:
    """The object, or the reason why it cannot be read."""
    if not _present(raw):
        return _NOTHING
    deep = _NOWHERE
    if is_deep(raw):
        deep = frozenset(place for place in deep_places(raw) if is_judged(kind.kind, place))
        raw = msgspec.Raw(truncated(raw))
    try:
        read = _decoded(kind, request, raw)
    except ValueError as error:  # always a ValidationError, because read_review has already decoded the whole text
        return _Part(cause=_wrong_type(error), deep=deep)
    return _Part(_completed(read, request), deep=deep)


def _completed(read: K, request: AdmissionRequest) -> K:
    """The object, with the namespace of the request if the object has none. A new object has no status."""
    if not read.namespace and request.namespace:
        meta = msgspec.structs.replace(read.metadata or ObjectMeta(), namespace=request.namespace)
        read = msgspec.structs.replace(read, metadata=meta)
    if request.operation == "CREATE" and getattr(read, "status", None) is not None:
        read = msgspec.structs.replace(read, status=None)  # only a stored object has a status
    return read


def _decoded(kind: Kind, request: AdmissionRequest, raw: msgspec.Raw) -> Kubernetes:
    """
    The object. Raises ValidationError if the judged part has a wrong type. For a deletion, a wrong type is ignored, and only
    the metadata is read.
    """
    decoder = _decoder_of(kind.reads)
    try:
        return read_object(decoder, kind.reads, raw)
    except msgspec.ValidationError as error:
        try:
            whole = parse(raw)
        except msgspec.DecodeError:
            raise error from None
        if request.operation == "DELETE":
            return metadata_alone(whole, kind.reads)
        return read_object(decoder, kind.reads, msgspec.json.encode(only_judged(kind.kind, whole)))


def prepare_reviews() -> None:
    """Makes the decoders of all kinds that are judged, as ``prepare_decoding`` does for objects."""
    for kind in _JUDGED.values():
        _typed_decoder_of(kind.reads)
        _decoder_of(kind.reads)


@cache
def _typed_decoder_of(reads: type[K]) -> msgspec.json.Decoder[TypedReview[K]]:
    return msgspec.json.Decoder(TypedReview[reads])  # type: ignore[valid-type]


@cache
def _decoder_of(reads: type[Kubernetes]) -> msgspec.json.Decoder[Kubernetes]:
    return msgspec.json.Decoder(reads)


def _wrong_type(error: ValueError) -> StatusCause:
    """A cause with the expected type and the path, never the value."""
    fault = type_fault(error)
    return _cause(f"wrong type: {fault.message}", dotted(fault.place))
