"""Lists the objects of a cluster from which a drain is rehearsed. Nothing is watched, and nothing is written."""

import time
from collections.abc import Callable, Iterable

import msgspec

from webhook.cluster.pages import Lister, NotListed, NotServed
from webhook.cluster.ports import Transport
from webhook.facts.fleet import Fleet
from webhook.objects.fleet_kinds import classes_of
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod
from webhook.objects.shared_parts import SharedParts


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
    lister = Lister(transport, within_seconds, clock=clock)
    objects: dict[type[Kubernetes], tuple[Kubernetes, ...]] = {}
    unread: dict[type[Kubernetes], str] = {}
    for kind in kinds:
        try:
            objects.update(_every(lister, kind))
        except NotServed:
            objects.update(dict.fromkeys(classes_of(kind), ()))
        except NotListed as error:
            unread[kind.reads] = error.unread.why
        except (msgspec.DecodeError, UnicodeDecodeError):
            unread[kind.reads] = f"an object of kind {kind.kind} has a field of the wrong type"
    listed_kinds = frozenset(objects)
    return Fleet(objects, listed_kinds, listed_kinds, unread)


_Views = dict[type[Kubernetes], tuple[Kubernetes, ...]]
"""All objects of a kind, by the class into which they are read."""


def _every(lister: Lister, kind: Kind) -> _Views:
    """All objects of a kind. Raises the errors of ``Lister.every``, and DecodeError for an object that cannot be read."""
    decoders = {reads: msgspec.json.Decoder(reads) for reads in classes_of(kind)}
    objects: dict[type[Kubernetes], list[Kubernetes]] = {reads: [] for reads in decoders}
    shared = SharedParts()
    for item in lister.every(kind):
        api_version = f"{kind.group}/{item.version}" if kind.group else item.version
        for reads, decoder in decoders.items():
            read = read_object(decoder, reads, item.raw)
            one = msgspec.structs.replace(read, api_version=api_version, kind=kind.kind)
            objects[reads].append(shared.lean(one) if isinstance(one, Pod) else one)
    return {reads: tuple(members) for reads, members in objects.items()}
