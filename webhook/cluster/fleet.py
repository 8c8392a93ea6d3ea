"""Lists the objects of a cluster from which a drain is rehearsed. Nothing is watched, and nothing is written."""

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from webhook.cluster.pages import Item, Lister, NotListed, NotServed
from webhook.cluster.ports import Transport
from webhook.facts.fleet import Fleet
from webhook.objects.fleet_kinds import classes_of
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Kubernetes, Read
from webhook.objects.pods import Pod
from webhook.objects.shared_parts import SharedParts


def list_fleet(
    transport: Transport,
    kinds: Iterable[Kind],
    within_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    before: Fleet | None = None,
) -> Fleet:
    """
    All objects of these kinds, with one paginated list for each kind, within ``within_seconds`` together.

    ``before`` is an earlier fleet of the same cluster. Its objects are kept if they are unchanged, to save time and memory.

    Never raises. A kind that cannot be read is in ``unread``. A kind that the API server does not serve has no objects.
    """
    lister = Lister(transport, within_seconds, clock=clock)
    objects: dict[type[Kubernetes], tuple[Kubernetes, ...]] = {}
    unread: dict[type[Kubernetes], str] = {}
    for kind in kinds:
        try:
            objects.update(_every(lister, kind, before))
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


class _Version(Read, frozen=True):
    namespace: str | None = None
    name: str = ""
    resource_version: str = ""


class _Identity(Read, frozen=True):
    metadata: _Version


_identities = msgspec.json.Decoder(_Identity)


class _Known:
    """The objects of one kind in an earlier fleet."""

    def __init__(self, kind: Kind, before: Fleet | None) -> None:
        given = [] if before is None else [before.given(reads) for reads in classes_of(kind)]
        self._views = [{(one.namespace, one.name): one for one in members} for members in given]

    def unchanged(self, item: Item) -> Sequence[Kubernetes] | None:
        """The views of an object with the same resourceVersion, or None if there is none."""
        if not self._views or not self._views[0]:
            return None
        try:
            version = decode(_identities, item.raw).metadata
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        found = [views.get((version.namespace or "", version.name)) for views in self._views]
        views = [
            one for one in found if one is not None and one.meta.resource_version == version.resource_version != ""
        ]
        return views if len(views) == len(self._views) else None


def _every(lister: Lister, kind: Kind, before: Fleet | None) -> _Views:
    """All objects of a kind. Raises the errors of ``Lister.every``, and DecodeError for an object that cannot be read."""
    decoders = {reads: msgspec.json.Decoder(reads) for reads in classes_of(kind)}
    objects: dict[type[Kubernetes], list[Kubernetes]] = {reads: [] for reads in decoders}
    known, shared = _Known(kind, before), SharedParts()
    for item in lister.every(kind):
        api_version = f"{kind.group}/{item.version}" if kind.group else item.version
        views = known.unchanged(item)
        if views is not None and views[0].api_version == api_version:
            for reads, view in zip(decoders, views, strict=True):
                objects[reads].append(view)
            continue
        for reads, decoder in decoders.items():
            read = read_object(decoder, reads, item.raw)
            one = msgspec.structs.replace(read, api_version=api_version, kind=kind.kind)
            objects[reads].append(shared.lean(one) if isinstance(one, Pod) else one)
    return {reads: tuple(members) for reads, members in objects.items()}
