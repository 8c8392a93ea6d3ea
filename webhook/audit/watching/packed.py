"""
Stores judged objects in little memory: compressed JSON, without the fields that change often and that no rule reads.

A heartbeat of a VMI, or another write that changes nothing that is judged, returns the stored object itself. This module does no
I/O.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import msgspec

from webhook.audit.watching.compression import Compression
from webhook.cluster.projection import Key, Malformed, Projection, Seen
from webhook.facts.unknown import Unknown
from webhook.kubevirt.subject import controlling_vm, with_labels_only
from webhook.objects.hyper_converged import HyperConverged, HyperConvergedStatus
from webhook.objects.json_depth import Raw, decode
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt, KubeVirtStatus
from webhook.objects.meta import Kubernetes, ObjectMeta, Read
from webhook.objects.running import LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE
from webhook.objects.vm import VirtualMachine, VirtualMachineStatus
from webhook.objects.vmi import VirtualMachineInstance, VMIStatus

VM: Final = "VirtualMachine"
CONDITIONS: Final = frozenset((LIVE_MIGRATABLE, STORAGE_LIVE_MIGRATABLE))
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_UNJUDGED: Final = ("managedFields", "resourceVersion", "generation", "selfLink")
"""Fields of ``metadata`` that change with each write, or that no rule reads."""

_NONE: Final = Compression()

Fields = dict[str, msgspec.Raw]


class _Condition(Read, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""


class _VMIStatus(VMIStatus, frozen=True, omit_defaults=True):
    """The status of a VMI that is judged, and the conditions that are compared with the verdict."""

    phase: str = ""
    conditions: list[_Condition] | None = None


_STATUS: Final[Mapping[type[Kubernetes], type[msgspec.Struct]]] = MappingProxyType(
    {
        VirtualMachine: VirtualMachineStatus,
        VirtualMachineInstance: _VMIStatus,
        KubeVirt: KubeVirtStatus,
        HyperConverged: HyperConvergedStatus,
    }
)
"""The fields of ``status`` that are judged. The status of other kinds is not judged."""

_fields: "msgspec.json.Decoder[Fields]" = msgspec.json.Decoder(Fields)
_text: "msgspec.json.Decoder[str]" = msgspec.json.Decoder(str)


class Packed(Kubernetes, frozen=True):
    """A judged object. ``metadata`` has the name, namespace, uid and resourceVersion."""

    view: Kubernetes | Unknown = Unknown("")
    """The object as lookups return it. A VM has only its labels, owners and number of VMIs there."""
    owner: str = ""
    """The VirtualMachine that controls a VMI."""
    digest: bytes = b""
    content: bytes = b""
    compression: Compression = _NONE

    @property
    def raw(self) -> bytes:
        """The judged part of the object, as JSON."""
        return self.compression.expand(self.content)

    @property
    def version(self) -> str:
        """The API version in which the object was read, without the group."""
        return self.api_version.rpartition("/")[2]


class Packing:
    """Reads objects of one judged kind. ``known`` returns the stored object."""

    def __init__(self, kind: type[Kubernetes], known: Callable[[Key], Kubernetes | Unknown | None]) -> None:
        self._reads = kind
        self._kind = BY_CLASS[kind]
        self._projection = Projection(self._kind)
        self._known = known
        self._compression = Compression()
        status = _STATUS.get(kind)
        self._status = msgspec.json.Decoder(status) if status is not None else None

    def read(self, raw: Raw, version: str) -> Seen:
        """Reads one object. Returns the stored object if nothing that is judged differs. Raises Malformed for no name."""
        try:
            fields = decode(_fields, raw)
            metadata = decode(_fields, fields["metadata"])
            name = decode(_text, metadata["name"])
            namespace = decode(_text, metadata["namespace"]) if "namespace" in metadata else ""
            position = decode(_text, metadata["resourceVersion"]) if "resourceVersion" in metadata else ""
            uid = decode(_text, metadata["uid"]) if "uid" in metadata else ""
            content = self._judged(fields, metadata, version)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
            raise Malformed from error
        key, digest = (namespace, name), blake2b(content, digest_size=16).digest()
        known = self._known(key)
        if isinstance(known, Packed) and known.digest == digest:
            return Seen(key, known, position)
        seen = self._projection.read(raw, version)
        return Seen(
            key,
            self._packed(
                seen.value, ObjectMeta(name, None, namespace or None, uid, position), version, digest, content
            ),
            position,
        )

    def _packed(
        self, read: Kubernetes | Unknown, metadata: ObjectMeta, version: str, digest: bytes, content: bytes
    ) -> Packed:
        group = self._kind.group
        owner = "" if isinstance(read, Unknown) else controlling_vm(read)
        view = read if isinstance(read, Unknown) else with_labels_only(read)
        return Packed(
            f"{group}/{version}" if group else version,
            self._kind.kind,
            metadata,
            view,
            owner if self._reads is VirtualMachineInstance else "",
            digest,
            self._compression.compress(content),
            self._compression,
        )

    def _judged(self, fields: Fields, metadata: Fields, version: str) -> bytes:
        """The object without the fields that are not judged. Equal objects have equal results."""
        for name in _UNJUDGED:
            metadata.pop(name, None)
        if "annotations" in metadata and _LAST_APPLIED.encode() in bytes(metadata["annotations"]):
            annotations = decode(_fields, metadata["annotations"])
            annotations.pop(_LAST_APPLIED, None)
            metadata["annotations"] = msgspec.Raw(msgspec.json.encode(annotations))
        fields["metadata"] = msgspec.Raw(msgspec.json.encode(metadata))
        fields["apiVersion"] = msgspec.Raw(msgspec.json.encode(f"{self._kind.group}/{version}"))
        fields["kind"] = msgspec.Raw(msgspec.json.encode(self._kind.kind))
        status = fields.pop("status", None)
        if status is not None and self._status is not None:
            fields["status"] = self._judged_status(status)
        return msgspec.json.encode(fields, order="sorted")

    def _judged_status(self, raw: msgspec.Raw) -> msgspec.Raw:
        """The judged fields of a status. A status with a wrong type is kept as it is, because it makes the object unreadable."""
        if self._status is None:
            return raw
        try:
            status = decode(self._status, raw)
        except msgspec.ValidationError:
            return raw
        if isinstance(status, _VMIStatus):
            kept = [condition for condition in status.conditions or () if condition.type in CONDITIONS]
            status = msgspec.structs.replace(status, conditions=kept or None)
        return msgspec.Raw(msgspec.json.encode(status))
