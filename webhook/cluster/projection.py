"""
What the store keeps of an object: the fields that something here reads, and equal parts once.

Of claims, DataVolumes and DataSources there may be a hundred thousand. Of their metadata only this stays: name, namespace,
uid, resourceVersion, deletionTimestamp, and labels of KubeVirt and CDI. A rule that is to read more of it has to add it
to ``_slim`` first.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias, TypeVar

import msgspec

from webhook.cluster.messages import unreadable
from webhook.facts.unknown import Fact, Unknown
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Kubernetes, ObjectMeta, Read
from webhook.objects.nad import Namespace, Node
from webhook.objects.storage import ClaimSpec, DataSource, DataVolume, PersistentVolumeClaim

K = TypeVar("K", bound=Kubernetes)
Key: TypeAlias = tuple[str, str]
"""Namespace ('' for cluster-scoped kinds) and name."""

MANY: frozenset[type[Kubernetes]] = frozenset((PersistentVolumeClaim, DataVolume, DataSource))
METADATA_ONLY: frozenset[type[Kubernetes]] = frozenset((Node, Namespace))
"""Of these the API server is asked for metadata alone: a node's status is its largest part and is never read."""

_OURS = "kubevirt.io/"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Malformed(Exception):
    """Not even a name can be read: whatever sent this is no API server, or it was cut off."""


class Seen(msgspec.Struct, frozen=True):
    """One object that was read: what it is filed under, and what can be made of it."""

    key: Key
    value: Kubernetes | Unknown
    resource_version: str


class _NameFields(Read, frozen=True):
    name: str
    namespace: str | None = None
    resource_version: str = ""


class _Named(Read, frozen=True):
    metadata: _NameFields


class _Position(Read, frozen=True):
    resource_version: str = ""


class _Positioned(Read, frozen=True):
    metadata: _Position


_named = msgspec.json.Decoder(_Named)
_positioned = msgspec.json.Decoder(_Positioned)


class Projection:
    """Reads objects of one kind from JSON."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind.reads)
        self._api_versions: dict[str, str] = {}

    def read(self, raw: bytes | msgspec.Raw, version: str) -> Seen:
        """
        One object, served in ``version``; Unknown where its fields have other types than they may have.

        Metadata beyond what is read, and nesting of any depth, hide no object. Raises Malformed where it has no name.
        """
        try:
            decoded = read_object(self._decoder, self._kind.reads, raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            decoded = None
        if decoded is None or not decoded.meta.name:
            return self._unreadable(raw)
        meta = self._meta(decoded.meta)
        value = msgspec.structs.replace(
            decoded, api_version=self._api_version(version), kind=self._kind.kind, metadata=meta
        )
        if isinstance(value, PersistentVolumeClaim):
            value = msgspec.structs.replace(value, spec=_shared(value.spec))
        return Seen((meta.namespace or "", meta.name or ""), value, meta.resource_version or "")

    def _unreadable(self, raw: bytes | msgspec.Raw) -> Seen:
        names = _decode(_named, raw).metadata
        why = unreadable(self._kind.reads, names.namespace or "", names.name)
        return Seen((names.namespace or "", names.name), why, names.resource_version)

    def _api_version(self, version: str) -> str:
        """One string for all objects of a version; items of lists do not carry their own."""
        group = self._kind.group
        return self._api_versions.setdefault(version, f"{group}/{version}" if group else version)

    def _meta(self, meta: ObjectMeta) -> ObjectMeta:
        namespace = sys.intern(meta.namespace) if meta.namespace else None
        if self._kind.reads in MANY:
            return _slim(meta, namespace)
        annotations = meta.annotations
        if annotations and _LAST_APPLIED in annotations:
            annotations = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        return msgspec.structs.replace(meta, namespace=namespace, annotations=annotations)


def all_readable(found: Iterable[K | Unknown]) -> Fact[tuple[K, ...]]:
    """
    The objects of a kind without those that cannot be read, so that one object hides no other.

    Where none can be read, what is said of one of them: the list is not empty, and what depends on it is unproven.
    """
    unreadable, readable = None, list[K]()
    for each in found:
        if isinstance(each, Unknown):
            unreadable = each
        else:
            readable.append(each)
    if readable or unreadable is None:
        return tuple(readable)
    return Unknown(unreadable.why, unreadable.settle)


def position_of(raw: bytes | msgspec.Raw) -> str:
    """``metadata.resourceVersion`` of a bookmark or a list; raises Malformed where it has none."""
    found = _decode(_positioned, raw).metadata.resource_version
    if not found:
        raise Malformed
    return found


T = TypeVar("T")


def _decode(decoder: "msgspec.json.Decoder[T]", raw: bytes | msgspec.Raw) -> T:
    try:
        return decode(decoder, raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed from error


def _slim(meta: ObjectMeta, namespace: str | None) -> ObjectMeta:
    return ObjectMeta(
        name=meta.name,
        namespace=namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
        labels=_our_labels(meta.labels),
        deletion_timestamp=meta.deletion_timestamp,
    )


def _our_labels(labels: Mapping[str, str] | None) -> dict[str, str] | None:
    ours = {sys.intern(key): sys.intern(value) for key, value in (labels or {}).items() if _OURS in key}
    return ours or None


def _shared(spec: ClaimSpec) -> ClaimSpec:
    """The one ClaimSpec that equals this: a cluster has a few storage classes, not a hundred thousand."""
    modes = None if spec.access_modes is None else tuple(spec.access_modes)
    return _one_claim_spec(modes, spec.volume_mode, spec.storage_class_name)


@lru_cache(maxsize=4096)
def _one_claim_spec(modes: tuple[str, ...] | None, volume_mode: str | None, storage_class: str | None) -> ClaimSpec:
    return ClaimSpec(None if modes is None else list(modes), volume_mode, storage_class)
