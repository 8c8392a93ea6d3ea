"""The base classes of all objects, and ObjectMeta."""

from typing import Annotated, Any, TypeAlias

import msgspec

Quantity = str | int | float
"""A Kubernetes quantity as written, such as ``64Mi`` or ``5``. ``webhook.objects.quantity`` parses it."""

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
UInt32: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
"""
An unsigned 32-bit integer. API servers accept larger numbers, but KubeVirt's own webhooks reject an object with a larger
number.
"""


class Read(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """
    A part of an object, with only the fields that this project reads.

    Unknown fields are ignored, because the API server prunes them and the manifest rules report them. Types are strict. A field
    with value ``null`` counts as absent, as in Go.
    """


class Empty(Read, frozen=True):
    """A field for which only the presence matters, such as ``masquerade: {}``."""


class OwnerReference(Read, frozen=True):
    """An entry of ``metadata.ownerReferences``."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(Read, frozen=True):
    """``metadata``."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class Kubernetes(Read, frozen=True):
    """An object with ``apiVersion``, ``kind`` and ``metadata``."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta | None = None

    @property
    def meta(self) -> ObjectMeta:
        """The ``metadata`` of the object (empty if the object has no metadata)."""
        return self.metadata or NO_META

    @property
    def namespace(self) -> str:
        """The namespace as written (empty if the object is cluster-scoped or the namespace is absent)."""
        return (self.metadata or NO_META).namespace or ""  # without ``meta``, because each lookup reads it

    @property
    def name(self) -> str:
        """The name of the object, or ``generateName`` if the name is absent (empty if both are absent)."""
        meta = self.metadata or NO_META
        return meta.name or meta.generate_name or ""


NO_META = ObjectMeta()
Json = Any
"""A parsed JSON value of unknown shape."""
