"""
Reduces an object to the fields that Migratable reads, which the store keeps. Objects with equal parts share one copy.

A cluster can have a hundred thousand PVCs, DataVolumes and DataSources. The store keeps only these parts of their metadata:
name, namespace, uid, resourceVersion, deletionTimestamp, and the labels of KubeVirt and CDI. A rule that needs another field
must add it to ``_slim``.
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
"""Kinds for which only the metadata is requested. The status is the largest part of a node, and no rule needs it."""

_OURS = "kubevirt.io/"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Malformed(Exception):
    """The object has no readable name, because the response is truncated or does not come from an API server."""


class Seen(msgspec.Struct, frozen=True):
    """One object that was read, with its key and resourceVersion."""

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
        Reads one object, which the API server serves in ``version``. Returns Unknown if a field has the wrong type. Unused
        metadata and deep nesting do not make an object unreadable. Raises Malformed if the object has no name.
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
        """Returns the apiVersion as one shared string, because items of lists do not have an apiVersion."""
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


def all_readable(objects: Iterable[K | Unknown]) -> Fact[tuple[K, ...]]:
    """
    Returns the readable objects of a kind. An unreadable object does not hide the other objects.

    Returns the Unknown of one object if there are objects and none of them is readable. In that case results that need the list
    are unproven.
    """
    unreadable, readable = None, list[K]()
    for one in objects:
        if isinstance(one, Unknown):
            unreadable = one
        else:
            readable.append(one)
    if readable or unreadable is None:
        return tuple(readable)
    return Unknown(unreadable.why, unreadable.settle)


def position_of(raw: bytes | msgspec.Raw) -> str:
    """Returns ``metadata.resourceVersion`` of a bookmark or list. Raises Malformed if the field is missing."""
    version = _decode(_positioned, raw).metadata.resource_version
    if not version:
        raise Malformed
    return version


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
    """Returns an equal ClaimSpec that all PVCs share, because a cluster has few storage classes and many PVCs."""
    modes = None if spec.access_modes is None else tuple(spec.access_modes)
    return _one_claim_spec(modes, spec.volume_mode, spec.storage_class_name)


@lru_cache(maxsize=4096)
def _one_claim_spec(modes: tuple[str, ...] | None, volume_mode: str | None, storage_class: str | None) -> ClaimSpec:
    return ClaimSpec(None if modes is None else list(modes), volume_mode, storage_class)
