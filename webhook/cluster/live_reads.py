"""Live reads: GET requests that bypass the cache and have a deadline."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeVar
from urllib.parse import quote

import msgspec

from webhook.cluster.messages import forbidden, invalid_name, late, missing_object, no_response
from webhook.cluster.ports import JSON, Answer, TooLarge, Transport
from webhook.cluster.projection import METADATA_ONLY, Malformed, Projection, all_readable
from webhook.errors import Unavailable
from webhook.facts.unknown import ABSENT, Absent, Fact, Found, Unknown, Unread
from webhook.objects.json_depth import decode
from webhook.objects.kinds import BY_CLASS, Kind
from webhook.objects.meta import Kubernetes, Read

K = TypeVar("K", bound=Kubernetes)

PAGE = 500
BUILT_IN = frozenset(("", "apps", "storage.k8s.io"))
"""
Groups that every API server serves. A 404 response for such a group does not mean that a CustomResourceDefinition is missing.
"""
_MAX_BYTES = 32 * 2**20
_TRY_LATER = frozenset((429, 503, 504))
"""
Status codes of an overloaded or starting API server. A response with such a status is handled like a response that does not
arrive in time.
"""


def path_of(kind: Kind, version: str, namespace: str = "", name: str = "") -> str:
    """
    Returns the path of an object, or the path of all objects of the kind if ``name`` is empty. Quotes every segment of the
    path.
    """
    space = f"/namespaces/{_segment(namespace)}" if kind.namespaced and namespace else ""
    return f"{_root(kind.group, version)}{space}/{kind.plural}" + (f"/{_segment(name)}" if name else "")


@cache  # a few groups and versions
def _root(group: str, version: str) -> str:
    return f"/apis/{_segment(group)}/{_segment(version)}" if group else f"/api/{_segment(version)}"


@lru_cache(maxsize=1024)  # quoting costs as much as a small rule, and namespaces repeat
def _segment(text: str) -> str:
    return quote(text, safe="")


def accept_of(kind: Kind, suffix: str = "") -> str:
    """
    Returns the Accept header, with ``suffix`` ``List`` for lists. For kinds in ``METADATA_ONLY``, the header requests no spec
    and no status.
    """
    if kind.reads not in METADATA_ONLY:
        return JSON
    return f"{JSON};as=PartialObjectMetadata{suffix};g=meta.k8s.io;v=v1,{JSON}"


class _Details(Read, frozen=True):
    name: str = ""


class _Status(Read, frozen=True):
    reason: str = ""
    details: _Details | None = None


class ListMeta(Read, frozen=True):
    """``metadata`` of a list."""

    resource_version: str = ""
    next_page: str = msgspec.field(default="", name="continue")


class Page(Read, frozen=True):
    """A list, or one page of a list."""

    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


status_decoder = msgspec.json.Decoder(_Status)
page_decoder = msgspec.json.Decoder(Page)


def read_page(body: bytes) -> Page:
    """Returns the list in ``body``. Raises Unavailable if ``body`` is not a list."""
    try:
        return decode(page_decoder, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable(
            "the API server's response is not a list",
            remedy="Check the proxies between Migratable and the API server.",
        ) from error


class LiveReads:
    """
    Reads objects from the API server. Never raises.

    ``served`` returns the API version in which the kind was last listed, or '' if the kind was never listed. In that case all
    versions are tried, newest first.
    """

    def __init__(
        self,
        transport: Transport,
        served: Callable[[type[Kubernetes]], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._served = served
        self._clock = clock

    def confirm(self, kind: type[K], namespace: str, name: str, deadline_seconds: float) -> Found[K]:
        """Returns the current object, or Unknown if the API server does not return the object in time."""
        known = BY_CLASS[kind]
        space = namespace if known.namespaced else ""
        if problem := invalid_name(known, space, name):
            return problem
        until = self._clock() + deadline_seconds
        try:
            for version in self._versions(known):
                answer = self._get(path_of(known, version, space, name), {}, accept_of(known), until)
                if answer.status == 404 and not missing_name(answer.body):
                    continue
                return _outcome(kind, known, version, space, name, answer)
        except TooLarge:
            return no_response(kind, name)
        except Unavailable:
            return late(kind, name)
        return no_response(kind, name) if known.group in BUILT_IN else ABSENT

    def confirm_every(self, kind: type[K], deadline_seconds: float, namespace: str = "") -> Fact[tuple[K, ...]]:
        """
        Returns all current objects of one namespace, or of all namespaces. Returns Unknown if the API server does not return
        the objects in time.
        """
        known = BY_CLASS[kind]
        until = self._clock() + deadline_seconds
        try:
            for version in self._versions(known):
                objects = self._all(kind, known, version, namespace, until)
                if not isinstance(objects, Absent):
                    return objects
        except (Malformed, TooLarge):
            return no_response(kind)
        except Unavailable:
            return late(kind)
        return no_response(kind) if known.group in BUILT_IN else ()

    def _all(self, kind: type[K], known: Kind, version: str, namespace: str, until: float) -> Found[tuple[K, ...]]:
        projection, objects = Projection(known), list[K | Unknown]()
        query = {"limit": str(PAGE)}
        while True:
            answer = self._get(path_of(known, version, namespace), query, accept_of(known, "List"), until)
            if answer.status == 404:
                return ABSENT
            if answer.status != 200:
                return _refusal(kind, known, "", answer.status)
            try:
                page = read_page(answer.body)
            except Unavailable:
                return no_response(kind)
            for raw in page.items or ():
                value = projection.read(raw, version).value
                if isinstance(value, kind | Unknown):
                    objects.append(value)
            if not page.metadata.next_page:
                return all_readable(objects)
            query = {"limit": str(PAGE), "continue": page.metadata.next_page}

    def _get(self, path: str, query: dict[str, str], accept: str, until: float) -> Answer:
        left = until - self._clock()
        if left <= 0:
            raise Unavailable("no time left for another read", remedy="Try again.")
        return self._transport.get(path, query, accept=accept, timeout_seconds=left, max_bytes=_MAX_BYTES)

    def _versions(self, known: Kind) -> Sequence[str]:
        served = self._served(known.reads)
        return (served, *_others(known, served)) if served else known.versions


def _others(known: Kind, served: str) -> Iterator[str]:
    return (version for version in known.versions if version != served)


def _outcome(kind: type[K], known: Kind, version: str, namespace: str, name: str, answer: Answer) -> Found[K]:
    if answer.status == 404:
        return missing_object(kind, namespace, name)
    if answer.status != 200:
        return _refusal(kind, known, name, answer.status)
    try:
        seen = Projection(known).read(answer.body, version)
    except Malformed:
        return no_response(kind, name)
    if seen.key != (namespace, name):
        return no_response(kind, name)
    return seen.value if isinstance(seen.value, kind | Unknown) else no_response(kind, name)


def _refusal(kind: type[Kubernetes], known: Kind, name: str, status: int) -> Unread:
    if status in (401, 403):
        return forbidden(known)
    return late(kind, name) if status in _TRY_LATER else no_response(kind, name)


def missing_name(body: bytes) -> str:
    """
    The name of the object that a 404 response says is missing. If the kind is not served, the response has no Status, or its
    Status names no object, and the result is empty.

    ``apimachinery/pkg/api/errors.NewNotFound`` and ``apiserver/pkg/endpoints/handlers/responsewriters``.
    """
    try:
        details = decode(status_decoder, body).details
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return details.name if details is not None else ""
