"""Lists the objects of a cluster from which a drain is rehearsed. Nothing is watched, and nothing is written."""

import time
from collections.abc import Callable, Iterable

import msgspec

from webhook.cluster.live_reads import BUILT_IN, PAGE, path_of, read_page
from webhook.cluster.messages import forbidden, late, no_response
from webhook.cluster.ports import TooLarge, Transport
from webhook.errors import Unavailable
from webhook.facts.fleet import Fleet
from webhook.objects.fleet_kinds import classes_of
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod
from webhook.objects.shared_parts import SharedParts

_MAX_BYTES = 128 * 2**20
"""The maximum size of a page. A VMI or pod can have 1.5 MiB."""


def list_fleet(
    transport: Transport,
    kinds: Iterable[Kind],
    within_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Fleet:
    """
    All objects of these kinds, with one paginated list for each kind, within ``within_seconds`` together.

    Never raises. A kind that cannot be read is in ``unread``. A kind that the API server does not serve has no objects.
    """
    until = clock() + within_seconds
    objects: dict[type[Kubernetes], tuple[Kubernetes, ...]] = {}
    unread: dict[type[Kubernetes], str] = {}
    for kind in kinds:
        try:
            listed = _every(transport, kind, until, clock)
        except TooLarge:
            unread[kind.reads] = no_response(kind.reads).why
        except Unavailable:
            unread[kind.reads] = late(kind.reads).why
        else:
            if isinstance(listed, str):
                unread[kind.reads] = listed
            else:
                objects.update(listed)
    listed_kinds = frozenset(objects)
    return Fleet(objects, listed_kinds, listed_kinds, unread)


_Views = dict[type[Kubernetes], tuple[Kubernetes, ...]]
"""All objects of a kind, by the class into which they are read."""


def _every(transport: Transport, kind: Kind, until: float, clock: Callable[[], float]) -> _Views | str:
    """All objects of a kind, or the reason why they cannot be read."""
    for version in kind.versions:
        listed = _pages(transport, kind, version, until, clock)
        if listed is not None:
            return listed
    if kind.group in BUILT_IN:
        return no_response(kind.reads).why
    return dict.fromkeys(classes_of(kind), ())


def _pages(
    transport: Transport, kind: Kind, version: str, until: float, clock: Callable[[], float]
) -> _Views | str | None:
    """As ``_every``, in one version. The result is None if the API server does not serve the version."""
    decoders = {reads: msgspec.json.Decoder(reads) for reads in classes_of(kind)}
    identity = {"api_version": f"{kind.group}/{version}" if kind.group else version, "kind": kind.kind}
    objects: dict[type[Kubernetes], list[Kubernetes]] = {reads: [] for reads in decoders}
    shared = SharedParts()
    query = {"limit": str(PAGE)}
    while True:
        left = until - clock()
        if left <= 0:
            raise Unavailable("no time left for another read", remedy="Set a longer --timeout.")
        answer = transport.get(path_of(kind, version), query, timeout_seconds=left, max_bytes=_MAX_BYTES)
        if answer.status == 404:
            return None
        if answer.status in (401, 403):
            return forbidden(kind).why
        if answer.status != 200:
            return no_response(kind.reads).why
        page = read_page(answer.body)
        for raw in page.items or ():
            try:
                for reads, decoder in decoders.items():
                    one = read_object(decoder, reads, raw)
                    one = msgspec.structs.replace(one, **identity)
                    objects[reads].append(shared.lean(one) if isinstance(one, Pod) else one)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return f"an object of kind {kind.kind} has a field of the wrong type"
        if not page.metadata.next_page:
            return {reads: tuple(members) for reads, members in objects.items()}
        query = {"limit": str(PAGE), "continue": page.metadata.next_page}
