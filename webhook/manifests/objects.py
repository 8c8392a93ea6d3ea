"""
Reads the Kubernetes objects in manifests, with their positions. An object that cannot be read becomes a problem.

This module does no I/O.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from webhook.errors import BadInput
from webhook.kubevirt.schema.field_names import ROOTS
from webhook.objects.kinds import KUBEVIRT_GROUP, PATCHED_COPY_BY_GROUP_KIND, Kind, find_kind, group_of
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath, dotted
from webhook.yaml.document import MAX_BYTES, Document, read_documents

if TYPE_CHECKING:
    from webhook.manifests.wrappers import Wrapped

_WRAPPERS = frozenset(
    (
        *("Template", "ManifestWork", "ManifestWorkReplicaSet", "ConfigurationPolicy", "Policy", "Work"),
        *("SyncSet", "SelectorSyncSet", "Object", "KubevirtMachine", "KubevirtMachineTemplate"),
        *("VirtualMachineTemplate", "VirtualMachineTemplateVersion"),
    )
)
"""The kinds of ``wrappers.OBJECTS`` and ``wrappers.VMS``. Most files have none of them, and then need no more imports."""
_CLAIMS = frozenset(("PersistentVolumeClaim", "DataVolume"))


class ManifestObject(msgspec.Struct, frozen=True):
    """One object of a manifest."""

    api_version: str
    kind: str
    known: Kind | None
    object: Kubernetes | None
    """The object, or None if its kind is not read."""
    raw: dict[str, Json]
    document: Document
    at: FieldPath
    """The path of the object in the document; empty, or a path such as ``items[3]`` for an item of a List."""
    within: FieldPath = ()
    """The path of an object inside another object, such as ``objects[0]`` in a Template. Paths in reports begin with it."""
    placeholders: tuple[tuple[FieldPath, str], ...] = ()
    """The path and text of each placeholder, such as ``${NAME}``, that has no value."""
    defaults: tuple[str, ...] = ()
    """The parameters whose default values the object has, as ``NAME=value``."""

    def mark(self, path: FieldPath) -> tuple[int, int, int, int]:
        """
        Returns the start line and column and the end line and column of a field. Returns the position of the nearest ancestor
        if the field is absent.
        """
        start, end = self.document.span((*self.at, *path))
        return start.line, start.column, end.line, end.column

    @property
    def line(self) -> int:
        """The first line of the object."""
        return self.document.mark(self.at).line if self.at else self.document.line


class Manifests(msgspec.Struct, frozen=True):
    """The objects and the problems in one file or stream."""

    objects: tuple[ManifestObject, ...]
    problems: tuple[BadInput, ...]
    notes: tuple[str, ...] = ()
    """Notes about VMs in objects that are not read."""


def read_manifests(content: bytes, source: str, *, most_bytes: int = MAX_BYTES) -> Manifests:
    """
    Returns the objects in one file or stream. Each item of a List is an object.

    Never raises. Unreadable input and objects with wrong types become problems with file, document and line.
    """
    try:
        documents = read_documents(content, source, most_bytes=most_bytes)
    except BadInput as problem:
        return Manifests((), (problem,))
    objects: list[ManifestObject] = []
    problems: list[BadInput] = []
    for document in documents:
        for item in _items(document.value, ()):
            try:
                objects.append(_object(item, document))
            except BadInput as problem:
                problems.append(problem)
    notes: tuple[str, ...] = ()
    if b"kubevirt.io/" in content and any(manifest.known is None for manifest in objects):
        notes = tuple(_unread_notes(objects))
    return Manifests(tuple(objects), tuple(problems), notes)


def _unread_notes(objects: Iterable[ManifestObject]) -> Iterator[str]:
    from webhook.manifests.wrappers import patched_copy_note, unread_note, unread_vms  # noqa: PLC0415 - for other kinds

    for manifest in objects:
        if manifest.known is not None:
            continue
        metadata = manifest.raw.get("metadata")
        name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
        if (manifest.api_version, manifest.kind) == SNAPSHOT:
            source = manifest.document.source
            yield f"{source} is a snapshot, and its objects are not used. To use them, write: --snapshot {source}"
        elif (group_of(manifest.api_version), manifest.kind) in PATCHED_COPY_BY_GROUP_KIND:
            if is_clone_of_vm(manifest):
                continue  # judged together with the VM
            if note := patched_copy_note(_place(manifest), manifest.kind, name, manifest.raw):
                yield note
        elif vms := list(unread_vms(manifest.api_version, manifest.raw)):
            yield unread_note(_place(manifest), manifest.kind, name, vms)


def _place(manifest: ManifestObject) -> str:
    return f"{manifest.document.source}:{manifest.line}"


SNAPSHOT = ("migratable/v1", "Snapshot")
_OWN_GROUPS = (b"kubevirt.io/", b"k8s.cni.cncf.io/")
_TEMPLATE = rb"\{[{%]"
_COMMENTED_JSON = rb"(?m)\A\s*[{\[/](?s:.*)(?:^|[ \t,{\[])(?://|/\*)"
_OWN_TAG = rb"[ \t\[,]![A-Za-z]"
_TOP_LEVEL = rb"""(?m)^(?:apiVersion|kind)[ \t]*:|^[{ \t]*["'](?:apiVersion|kind)["'][ \t]*:"""


def is_other_file(content: bytes, manifests: Manifests) -> bool:
    """
    Whether a file with problems is not a Kubernetes manifest, such as a CI file, values of a chart, or a template.

    In such a file, no document has ``apiVersion`` or ``kind`` at the top level. A file that is not YAML must also be a
    template, have tags of another program, such as GitLab's ``!reference``, or be JSON with comments, such as tsconfig.json.
    A file that mentions an API group of KubeVirt or Multus is a manifest with problems.
    """
    if manifests.objects or any(group in content for group in _OWN_GROUPS):
        return False
    try:
        documents = read_documents(content, "")
    except BadInput:
        is_tagged = bool(re.search(_OWN_TAG, content) or re.match(_COMMENTED_JSON, content))
        is_of_others = is_tagged and not re.search(_TOP_LEVEL, content)
        return bool(re.search(_TEMPLATE, content) or is_of_others) and b"kind: VirtualMachine" not in content
    return not any(
        isinstance(document.value, dict) and ("apiVersion" in document.value or "kind" in document.value)
        for document in documents
    )


class _Item(msgspec.Struct, frozen=True):
    """A value in a document that is an object."""

    value: Json
    at: FieldPath = ()
    wrapped: "Wrapped | None" = None


def _items(value: Json, at: FieldPath, wrapped: "Wrapped | None" = None) -> Iterator[_Item]:
    """
    Yields the value itself, or the items of a ``List`` or of a typed list such as ``VirtualMachineList``, or the objects in a
    wrapper such as a Template.

    In a typed list, API servers leave out the apiVersion and kind of the items.
    """
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str):
        yield _Item(value, at, wrapped)
        return
    items = value.get("items")
    if kind.endswith("List") and isinstance(items, list):
        shared = {} if kind == "List" else {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
        for index, item in enumerate(items):
            yield from _items({**shared, **item} if isinstance(item, dict) else item, (*at, "items", index), wrapped)
    elif kind in _WRAPPERS and isinstance(value.get("apiVersion"), str):
        yield from _inside(value, at, wrapped)
    else:
        yield _Item(value, at, wrapped)


def _inside(value: dict[str, Json], at: FieldPath, outer: "Wrapped | None") -> Iterator[_Item]:
    from webhook.manifests.parameters import NO_PARAMETERS  # noqa: PLC0415 - few files have a wrapper
    from webhook.manifests.wrappers import is_wrapper, wrapped_in  # noqa: PLC0415

    if not is_wrapper(value["apiVersion"], value["kind"]):
        yield _Item(value, at, outer)
        return
    found = list(wrapped_in(value, at, outer.parameters if outer is not None else NO_PARAMETERS))
    if not found:  # a VM can be at another place, such as object-templates-raw of a ConfigurationPolicy
        yield _Item(value, at, outer)
    for inner in found:
        if inner.owner is not None:
            yield _Item(inner.value, inner.at, inner)
        else:
            yield from _items(inner.value, inner.at, inner)


def _object(item: _Item, document: Document) -> ManifestObject:
    value, at = item.value, item.at
    if item.wrapped is not None:
        from webhook.manifests.wrapped_objects import read_wrapped  # noqa: PLC0415 - few files have one

        return read_wrapped(item.wrapped, value, at, document, _plain_object)
    return _plain_object(value, document, at)


def _plain_object(value: Json, document: Document, at: FieldPath) -> ManifestObject:
    if not isinstance(value, dict):
        raise _problem(document, at, "not a Kubernetes object", "Add apiVersion, kind and metadata.")
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not kind:
        missing = "apiVersion" if not isinstance(api_version, str) else "kind"
        message = f"not a Kubernetes object: {missing} is missing or not a string"
        raise _problem(document, at, message, f"Add {missing}.")
    known = find_kind(api_version, kind)
    if known is None:
        return ManifestObject(api_version, kind, None, None, value, document, at)

    try:
        converted = _convert(value, known)
    except msgspec.ValidationError as error:
        from webhook.manifests.typed import locate  # noqa: PLC0415 - only needed after an error

        fault = locate(value, error, lambda part: _convert(part, known))
        remedy = "Use the type that the Kubernetes API defines for this field."
        problem = _problem(document, (*at, *fault.place), f"wrong type: {fault.message}", remedy)
        problem.path = dotted(fault.place)
        raise problem from None
    if kind in _CLAIMS and not _has_access_modes(kind, value.get("spec")):
        from webhook.manifests.misspelt_claims import with_misspelt_modes  # noqa: PLC0415 - few claims lack them

        converted = with_misspelt_modes(converted, value)
    return ManifestObject(api_version, kind, known, converted, value, document, at)


def _has_access_modes(kind: str, spec: Json) -> bool:
    """Whether the spec of a claim or DataVolume has the field."""
    if not isinstance(spec, dict):
        return False
    parts = (spec,) if kind == "PersistentVolumeClaim" else (spec.get("storage"), spec.get("pvc"))
    return any(isinstance(part, dict) and "accessModes" in part for part in parts)


def _convert(value: Json, known: Kind) -> Kubernetes:
    try:
        return msgspec.convert(value, known.reads)
    except msgspec.ValidationError as error:
        from webhook.objects.nulls import is_about_null, without_nulls  # noqa: PLC0415 - only needed after an error

        if not is_about_null(error):
            raise
        return msgspec.convert(without_nulls(value), known.reads)


def _problem(document: Document, at: FieldPath, message: str, remedy: str) -> BadInput:
    mark = document.mark(at)
    return BadInput(
        message,
        remedy=remedy,
        source=document.source,
        document=document.index,
        line=mark.line,
        column=mark.column,
        path=dotted(at),
    )


def is_relevant(manifest: ManifestObject) -> bool:
    """Whether findings can be about the object, because its kind is judged or misspelt, or because the object has no effect."""
    if manifest.known is not None:
        return manifest.known.judged
    from webhook.kubevirt.schema.group_kinds import GROUPS  # noqa: PLC0415 - only for kinds that are not read
    from webhook.rules.manifest.dead_configuration import is_dead  # noqa: PLC0415
    from webhook.rules.manifest.manifest_kind import meant_group  # noqa: PLC0415

    if group_of(manifest.api_version) in GROUPS or meant_group(manifest.api_version, manifest.kind):
        return True
    return is_dead(manifest.api_version, manifest.kind, manifest.raw.get("metadata"))


def is_spell_checked(manifest: ManifestObject) -> bool:
    """Whether the names and values of an object are checked, although rules only look it up."""
    return manifest.known is not None and manifest.kind in ROOTS


def is_migration_request(manifest: ManifestObject) -> bool:
    """Whether the object is a VirtualMachineInstanceMigration (VMIM)."""
    return manifest.kind == "VirtualMachineInstanceMigration" and group_of(manifest.api_version) == KUBEVIRT_GROUP


def is_clone_of_vm(manifest: ManifestObject) -> bool:
    """Whether the object is a VirtualMachineClone of a VM, with patches."""
    if manifest.kind != "VirtualMachineClone":
        return False
    from webhook.judging.patched_copies import source_of  # noqa: PLC0415 - few files have one

    return bool(source_of(manifest.api_version, manifest.kind, manifest.raw.get("spec")))


def placed_in(manifests: Iterable[ManifestObject]) -> Iterator[tuple[Kubernetes, str]]:
    """Returns the objects of kinds that are read, each with its file."""
    return ((manifest.object, manifest.document.source) for manifest in manifests if manifest.object is not None)
