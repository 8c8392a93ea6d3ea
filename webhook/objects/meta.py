"""What all objects share: the reading rules and ObjectMeta."""

from typing import Annotated, Any, TypeAlias

import msgspec

Quantity = str | int | float
"""A Kubernetes quantity as it is written: ``64Mi``, ``5``; parsed by ``webhook.kubevirt.quantity``."""

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
UInt32: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
"""API servers let larger numbers pass; KubeVirt's own webhooks then cannot read the object, and refuse it."""


class Read(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """
    A part of an object, reduced to the fields that something here reads.

    Unknown fields are ignored (the API server prunes them; hygiene rules look at them), types are strict: an int is
    an int. ``null`` means absent everywhere, as in Go.
    """


class Empty(Read, frozen=True):
    """A field whose presence alone counts, such as ``masquerade: {}``."""


class OwnerReference(Read, frozen=True):
    """The object that this one belongs to."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class ObjectMeta(Read, frozen=True):
    """``metadata``, as far as it is read."""

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
        """``metadata``, empty where the object has none."""
        return self.metadata or NO_META

    @property
    def namespace(self) -> str:
        """The namespace as written; empty for cluster-scoped objects and where none is given."""
        return self.meta.namespace or ""

    @property
    def name(self) -> str:
        """The name, or the ``generateName`` stem, or empty."""
        return self.meta.name or self.meta.generate_name or ""


NO_META = ObjectMeta()
Json = Any
"""A parsed JSON value that is carried along and not looked into."""
