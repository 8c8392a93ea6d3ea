"""
Reads and writes snapshot files, which contain the facts of a cluster that verdicts need. The facts are sorted, so that ``diff``
can compare two snapshots.

A snapshot contains no secrets. Secrets are never read, and a snapshot contains only the fields that this project reads. In the
configuration of a network, the values of keys that look like secrets are left out. This module does no I/O.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from webhook.errors import Misconfigured
from webhook.facts.objects_world import Snapshot
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.typed import OwnFile, read_own_documents
from webhook.objects import hyper_converged, instancetype, kubevirt, nad, storage
from webhook.objects.fleet_kinds import FLEET_KINDS, find_fleet_kind
from webhook.objects.kinds import BY_CLASS, BY_GROUP_KIND, KINDS, Kind
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.objects.type_errors import TypeFault
from webhook.report.model import API_VERSION
from webhook.yaml import writer
from webhook.yaml.document import Document

ALWAYS: Sequence[type[Kubernetes]] = (
    kubevirt.KubeVirt,
    hyper_converged.HyperConverged,
    kubevirt.MigrationPolicy,
    nad.NetworkAttachmentDefinition,
    storage.StorageClass,
    storage.StorageProfile,
    storage.DataSource,
    instancetype.VirtualMachineInstancetype,
    instancetype.VirtualMachineClusterInstancetype,
    instancetype.VirtualMachinePreference,
    instancetype.VirtualMachineClusterPreference,
)
CLAIMS: Sequence[type[Kubernetes]] = (storage.PersistentVolumeClaim, storage.PersistentVolume, storage.DataVolume)
NODES: Sequence[type[Kubernetes]] = (nad.Node,)

MOST_BYTES = 128 * 2**20
"""The maximum size of a snapshot, which suffices for about half a million claims."""
_PART = 2**19
"""Number of bytes of objects that are read in one part, so that the values of the whole text are never in memory at once."""

HEADER = (
    "# Facts of a cluster for `migratable check --snapshot`. Written by `migratable snapshot`; contains no secrets.\n"
)
_OLD_HEADER = (
    "# What `migratable check --snapshot` needs to know of a cluster. "
    "Written by `migratable snapshot`; it holds no secrets.\n"
)
"""The header in earlier versions. Large snapshots with this header can still be read."""
_LABELS = re.compile(r"kubevirt\.io/|kubernetes\.io/|^app$")
_ALL = re.compile("")
"""All labels of a node are kept, because node selectors can select any of them."""
ANNOTATIONS = re.compile(
    r"kubevirt\.io/|storageclass\.kubernetes\.io/|k8s\.v1\.cni\.cncf\.io/|\.settings\.harvesterhci\.io$|"
    r"^flannel\.alpha\.coreos\.com/backend-type$|^kube-router\.io/pod-cidr$|ipv4-pod-cidr$|^k8s\.ovn\.org/node-subnets$|"
    r"^ovn\.kubernetes\.io/allocated$"
)
_SECRET = re.compile(r"passw|secret|token|credential|private|\bkey\b|kubeconfig|auth", re.IGNORECASE)
LEFT_OUT = "(left out)"
_CREATE = "Create a snapshot with: migratable snapshot."
_REMEDY = "Correct the file, or create a new snapshot with: migratable snapshot."


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    api_version: str
    kind: str
    complete: list[str] = []
    """Kinds for which the file contains all objects of the cluster."""
    unread: dict[str, str] = {}
    """Kinds that could not be read, each with the reason."""
    objects: list[dict[str, Any]] = []


def render(by_kind: Mapping[type[Kubernetes], Fact[Iterable[Kubernetes]]], *, whole: bool) -> str:
    """
    Returns the text of a snapshot file with the objects of each kind.

    ``whole`` means that all namespaces were read, so an object that is not in the file does not exist.
    """
    objects: list[Any] = []
    for kind in KINDS:
        members = by_kind.get(kind.reads)
        if members is not None and not isinstance(members, Unknown):
            in_order = sorted(members, key=lambda member: (member.namespace, member.name))
            objects += [_plain(kind, member) for member in in_order]
    complete = [
        reads.__name__
        for reads, members in by_kind.items()
        if not isinstance(members, Unknown) and (whole or not BY_CLASS[reads].namespaced)
    ]
    unread = {reads.__name__: members.why for reads, members in by_kind.items() if isinstance(members, Unknown)}
    return file_of(complete, unread, objects)


def file_of(complete: Iterable[str], unread: Mapping[str, str], objects: list[Any]) -> str:
    """Returns the text of a snapshot file: the names of the complete kinds, the reasons of the unread kinds, and the objects."""
    file: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Snapshot",
        "complete": sorted(complete),
        "unread": dict(unread),
        "objects": objects,
    }
    return HEADER + writer.dump(file)


def _plain(kind: Kind, known: Kubernetes) -> Any:  # noqa: ANN401 - plain values
    meta = known.meta
    owners = [{"kind": owner.kind, "name": owner.name} for owner in meta.owner_references or ()]
    metadata = {
        "name": meta.name,
        "namespace": meta.namespace or None,
        "labels": _kept(meta.labels, _ALL if isinstance(known, nad.Node) else _LABELS),
        "annotations": _kept(meta.annotations, ANNOTATIONS),
        "ownerReferences": (owners or None) if isinstance(known, kubevirt.KubeVirt) else None,
    }
    rest = {
        key: value for key, value in msgspec.to_builtins(known).items() if key not in ("metadata", "kind", "apiVersion")
    }
    api_version = known.api_version or (f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0])
    plain = _without_nulls({"apiVersion": api_version, "kind": kind.kind, "metadata": metadata, **rest})
    if isinstance(known, nad.NetworkAttachmentDefinition) and known.spec.config:
        plain["spec"]["config"] = without_secrets(known.spec.config)
    return plain


def _kept(words: Mapping[str, str] | None, pattern: re.Pattern[str]) -> dict[str, str] | None:
    return {key: words[key] for key in sorted(words or ()) if words is not None and pattern.search(key)} or None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - plain values
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def without_secrets(config: str) -> str:
    """Returns the configuration of a network, without the values of keys that look like secrets."""
    try:
        return json.dumps(_masked(json.loads(config))) if _SECRET.search(config) else config
    except (ValueError, RecursionError):
        return LEFT_OUT


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: LEFT_OUT if _SECRET.search(key) else _masked(member) for key, member in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def refuse_larger(size: int, source: str) -> None:
    """Raises Misconfigured for a snapshot of more than ``MOST_BYTES``, because ``parse`` refuses such a snapshot."""
    if size > MOST_BYTES:
        raise Misconfigured(
            f"snapshot {source} is larger than {MOST_BYTES // 2**20} MiB",
            remedy="Create it without --claims, or for one namespace: migratable snapshot -n NAMESPACE. For a drain, read the "
            "running cluster.",
        )


Classes: TypeAlias = Callable[[Kind], Sequence[type[Kubernetes]]]
"""The classes into which the objects of a kind are read. The first class identifies the kind."""


def _looked_up(kind: Kind) -> Sequence[type[Kubernetes]]:
    """The class of a kind that rules look up. A snapshot for a drain also has other kinds."""
    known = BY_GROUP_KIND.get((kind.group, kind.kind))
    return (known.reads,) if known is not None else ()


def parse(content: bytes, source: str, classes: Classes = _looked_up) -> Snapshot:
    """
    Returns the snapshot in ``content``, without the kinds that have no class.

    Raises Misconfigured with file, line and field for an invalid snapshot.
    """
    refuse_larger(len(content), source)
    complete: frozenset[type[Kubernetes]] | None = None
    unread: dict[type[Kubernetes], str] = {}
    objects: list[Kubernetes] = []
    for text, lines_before in _parts(content):
        document = _document(text, source, lines_before)
        part = OwnFile(source, document.value, _REMEDY, document, lines_before, _counting_from(len(objects)))
        file = part.read(_file, _describe)
        if complete is None:
            complete = frozenset(_complete(part, file.complete, classes))
            unread = {
                reads: why
                for name, why in file.unread.items()
                if name in _BY_NAME
                for reads in classes(_BY_NAME[name])[:1]
            }
        for index, value in enumerate(file.objects):
            objects += part.read_part(("objects", index), value, lambda value: _objects(value, classes), _describe)
    return Snapshot(tuple(objects), complete or frozenset(), unread)


_BEGIN = b"\nobjects:\n"
_ITEM = b"\n  - apiVersion: "
_HEAD = f"apiVersion: {API_VERSION}\nkind: Snapshot\nobjects:\n".encode()


def _parts(content: bytes) -> Iterator[tuple[bytes, int]]:
    """
    Yields the file in parts. Each part is a document, with the number of lines before it in the file.

    A small file is one part. A file that ``render`` did not write is also one part, because other programs can write a string
    on several lines.
    """
    begin = content.find(_BEGIN)
    if len(content) <= _PART or not content.startswith((HEADER.encode(), _OLD_HEADER.encode())) or begin < 0:
        yield content, 0
        return
    head = content[: begin + 1]
    yield head, 0
    start, line = begin + len(_BEGIN), head.count(b"\n") + 1
    while start < len(content):
        end = content.find(_ITEM, start + _PART) + 1 or len(content)
        part = content[start:end]
        yield _HEAD + part, line - _HEAD.count(b"\n")
        start, line = end, line + part.count(b"\n")


def _document(text: bytes, source: str, lines_before: int) -> Document:
    """Returns the only document of a part. Raises Misconfigured if the document is not a snapshot."""
    documents = read_own_documents(text, source, lines_before)
    value = documents[0].value if len(documents) == 1 else None
    identity = [value.get("apiVersion"), value.get("kind")] if isinstance(value, dict) else []
    if identity == [API_VERSION, "Snapshot"]:
        return documents[0]
    if len(documents) != 1:
        why = f"it has {len(documents)} documents" if documents else "it is empty"
    elif all(isinstance(word, str) for word in identity) and identity:
        why = f"it is {identity[0]} {identity[1]}"
    else:
        why = f"it does not start with apiVersion: {API_VERSION} and kind: Snapshot"
    raise Misconfigured(f"{source} is not a snapshot: {why}", remedy=_CREATE)


def _counting_from(objects_before: int) -> Callable[[FieldPath], FieldPath]:
    """
    Returns a function that converts a path in a part into the path in the file. ``objects_before`` is the number of objects
    before the part.
    """

    def path_in_file(path: FieldPath) -> FieldPath:
        if len(path) > 1 and path[0] == "objects" and isinstance(path[1], int):
            return ("objects", path[1] + objects_before, *path[2:])
        return path

    return path_in_file


def _file(value: Json) -> _File:
    return msgspec.convert(value, _File)


def _describe(fault: TypeFault) -> tuple[str, str]:
    near = _did_you_mean(fault.unknown_key, _File.__struct_encode_fields__) if fault.unknown_key else ""
    return fault.message + near, ""


_BY_NAME = {kind.kind: kind for kind in FLEET_KINDS}


def _complete(part: OwnFile, names: Sequence[str], classes: Classes) -> Iterator[type[Kubernetes]]:
    for index, name in enumerate(names):
        if name not in _BY_NAME:
            raise part.error(("complete", index), f"unknown kind {shown(name)}{_did_you_mean(name, _BY_NAME)}")
        yield from classes(_BY_NAME[name])[:1]


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = close_matches(word, known, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _objects(raw: Json, classes: Classes) -> list[Kubernetes]:
    """Converts an object of the file into its classes. Raises ValidationError for an invalid object, as msgspec does."""
    api_version, kind_name = raw.get("apiVersion"), raw.get("kind")
    if not (isinstance(api_version, str) and isinstance(kind_name, str)):
        missing = "kind" if isinstance(api_version, str) else "apiVersion"
        raise msgspec.ValidationError(f"{missing} is missing or not a string")
    kind = find_fleet_kind(api_version, kind_name)
    if kind is None:
        raise msgspec.ValidationError(f"{kind_name} of {api_version} does not belong in a snapshot")
    return [msgspec.convert(raw, reads) for reads in classes(kind)]
