"""
A snapshot: the few facts of a cluster that verdicts need, in a file that is small, sorted and fit to be compared by line.

Only fields that something here reads are kept, so there is no secret in it: nothing of Secrets is read, and of a network's
configuration the values of keys that sound like one are left out. This file does no I/O.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.facts.snapshot import Snapshot
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.typed import misfit
from webhook.objects import instancetype, kubevirt, nad, storage
from webhook.objects.kinds import BY_CLASS, KINDS, Kind, find_kind
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import FieldPath, dotted
from webhook.report.model import API_VERSION
from webhook.yaml import writer
from webhook.yaml.document import Document, read_documents

ALWAYS: Sequence[type[Kubernetes]] = (
    kubevirt.KubeVirt,
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
CLAIMS: Sequence[type[Kubernetes]] = (storage.PersistentVolumeClaim, storage.DataVolume)
NODES: Sequence[type[Kubernetes]] = (nad.Node,)

MOST_BYTES = 128 * 2**20
"""The size of a file that is read: about half a million claims."""
_PART = 2**19
"""Bytes of objects that are read at once: shorter texts go the fast way (``fastyaml``)."""

HEADER = """\
# What `migratable check --snapshot` needs to know of a cluster. Written by `migratable snapshot`; it holds no secrets.
"""
_LABELS = re.compile(r"kubevirt\.io/|kubernetes\.io/|^app$")
_ANNOTATIONS = re.compile(
    r"kubevirt\.io/|storageclass\.kubernetes\.io/|k8s\.v1\.cni\.cncf\.io/|\.settings\.harvesterhci\.io$"
)
_SECRET = re.compile(r"passw|secret|token|credential|private|\bkey\b|kubeconfig|auth", re.IGNORECASE)
LEFT_OUT = "(left out)"
_TAKE = "Take one: migratable snapshot."
_REMEDY = "Correct this, or take the snapshot anew: migratable snapshot."

T = TypeVar("T")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    api_version: str
    kind: str
    complete: list[str] = []
    """Kinds of which everything there is stands here."""
    unread: dict[str, str] = {}
    """Kinds that could not be read, and why."""
    objects: list[dict[str, Any]] = []


_EMPTY = _File(API_VERSION, "Snapshot")


def render(found: Mapping[type[Kubernetes], Fact[Iterable[Kubernetes]]], *, whole: bool) -> str:
    """
    The file's text for what was found of each kind.

    ``whole``: all namespaces were read, so that what is not in the file does not exist.
    """
    objects: list[Any] = []
    for known in KINDS:
        given = found.get(known.reads)
        if given is not None and not isinstance(given, Unknown):
            objects += [_plain(known, each) for each in sorted(given, key=lambda each: (each.namespace, each.name))]
    file: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Snapshot",
        "complete": sorted(
            each.__name__
            for each, given in found.items()
            if not isinstance(given, Unknown) and (whole or not BY_CLASS[each].namespaced)
        ),
        "unread": {each.__name__: given.why for each, given in found.items() if isinstance(given, Unknown)},
        "objects": objects,
    }
    return HEADER + writer.dump(file)


def _plain(known: Kind, found: Kubernetes) -> Any:  # noqa: ANN401 - plain values
    meta = found.meta
    owners = [{"kind": each.kind, "name": each.name} for each in meta.owner_references or ()]
    metadata = {
        "name": meta.name,
        "namespace": meta.namespace or None,
        "labels": _kept(meta.labels, _LABELS),
        "annotations": _kept(meta.annotations, _ANNOTATIONS),
        "ownerReferences": (owners or None) if isinstance(found, kubevirt.KubeVirt) else None,
    }
    rest = {
        key: value for key, value in msgspec.to_builtins(found).items() if key not in ("metadata", "kind", "apiVersion")
    }
    api_version = found.api_version or (f"{known.group}/{known.versions[0]}" if known.group else known.versions[0])
    plain = _without_nulls({"apiVersion": api_version, "kind": known.kind, "metadata": metadata, **rest})
    if isinstance(found, nad.NetworkAttachmentDefinition) and found.spec.config:
        plain["spec"]["config"] = _without_secrets(found.spec.config)
    return plain


def _kept(words: Mapping[str, str] | None, pattern: re.Pattern[str]) -> dict[str, str] | None:
    return {key: words[key] for key in sorted(words or ()) if words is not None and pattern.search(key)} or None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - plain values
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _without_secrets(config: str) -> str:
    """A network's configuration as it is, unless a key in it sounds like a secret: then without that key's value."""
    try:
        return json.dumps(_masked(json.loads(config))) if _SECRET.search(config) else config
    except (ValueError, RecursionError):
        return LEFT_OUT


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: LEFT_OUT if _SECRET.search(key) else _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def refuse_larger(size: int, source: str) -> None:
    """Raises Misconfigured for a file of more than ``MOST_BYTES``, which nobody could read again."""
    if size > MOST_BYTES:
        raise Misconfigured(
            f"snapshot {source} is larger than {MOST_BYTES // 2**20} MiB",
            remedy="Take it without --claims, or of one namespace: migratable snapshot -n NAMESPACE.",
        )


def parse(content: bytes, source: str) -> Snapshot:
    """What a snapshot's file says; raises Misconfigured with file, line and field for whatever is wrong."""
    refuse_larger(len(content), source)
    complete: frozenset[type[Kubernetes]] | None = None
    objects: list[Kubernetes] = []
    for text, before in _parts(content):
        part = _part(text, source, before, len(objects))
        if complete is None:
            complete = frozenset(_complete(part))
        objects += [part.convert(("objects", at), each, _object) for at, each in enumerate(part.file.objects)]
    return Snapshot(tuple(objects), complete or frozenset())


_BEGIN = b"\nobjects:\n"
_ITEM = b"\n  - apiVersion: "
_HEAD = f"apiVersion: {API_VERSION}\nkind: Snapshot\nobjects:\n".encode()


def _parts(content: bytes) -> Iterator[tuple[bytes, int]]:
    """
    The file in parts that are documents of their own, each with the number of lines before it.

    Only where it is large and as ``render`` writes it, so that no text in it reaches over a line; else it is one part.
    """
    begin = content.find(_BEGIN)
    if len(content) <= _PART or not content.startswith(HEADER.encode()) or begin < 0:
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


class _Part(msgspec.Struct, frozen=True):
    """A document with objects of the file, and what stands before them."""

    document: Document
    file: _File
    lines: int
    objects: int

    def convert(self, at: FieldPath, value: Json, convert: Callable[[Json], T]) -> T:
        """``value``, which stands at ``at``, as ``convert`` reads it; raises Misconfigured where it does not fit."""
        try:
            return convert(value)
        except msgspec.ValidationError as error:
            text, path = misfit(value, error, convert)
            if "unknown field" in text:
                text = f"there is no such key{_meant(str(path[-1]), _File.__struct_encode_fields__)}"
            raise self.wrong((*at, *path), text) from None

    def wrong(self, path: FieldPath, message: str) -> Misconfigured:
        """What is wrong at a path in the document, with the line and the path that it has in the file."""
        line = self.lines + self.document.mark(path).line
        if len(path) > 1 and path[0] == "objects" and isinstance(path[1], int):
            path = ("objects", path[1] + self.objects, *path[2:])
        where = f"{dotted(path)}: " if path else ""
        return Misconfigured(f"{self.document.source}:{line}: {where}{message}", remedy=_REMEDY)


def _part(text: bytes, source: str, lines: int, objects: int) -> _Part:
    try:
        documents = read_documents(text, source)
    except BadInput as error:
        message = error.message.replace(f"line {error.line} is", "this is", 1)
        raise Misconfigured(f"{source}:{lines + (error.line or 1)}: {message}", remedy=error.remedy) from None
    _refuse_other(documents, source)
    read = _Part(documents[0], _EMPTY, lines, objects)
    return msgspec.structs.replace(read, file=read.convert((), documents[0].value, _file))


def _refuse_other(documents: Sequence[Document], source: str) -> None:
    """Raises Misconfigured for a file that is something else."""
    value = documents[0].value if len(documents) == 1 else None
    said = [value.get("apiVersion"), value.get("kind")] if isinstance(value, dict) else []
    if said == [API_VERSION, "Snapshot"]:
        return
    if len(documents) != 1:
        why = f"it holds {len(documents)} documents" if documents else "it is empty"
    elif all(isinstance(each, str) for each in said) and said:
        why = f"it is {said[0]} {said[1]}"
    else:
        why = f"it does not begin with apiVersion: {API_VERSION} and kind: Snapshot"
    raise Misconfigured(f"{source} is not a snapshot: {why}", remedy=_TAKE)


def _file(value: Json) -> _File:
    return msgspec.convert(value, _File)


def _complete(part: _Part) -> Iterator[type[Kubernetes]]:
    by_name = {known.reads.__name__: known.reads for known in KINDS}
    for at, name in enumerate(part.file.complete):
        if name not in by_name:
            raise part.wrong(("complete", at), f"there is no kind {name!a}{_meant(name, by_name)}")
        yield by_name[name]


def _meant(word: str, known: Iterable[str]) -> str:
    near = close_matches(word, known, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _object(raw: Json) -> Kubernetes:
    """Raises ValidationError, in the words of msgspec."""
    api_version, kind = raw.get("apiVersion"), raw.get("kind")
    if not (isinstance(api_version, str) and isinstance(kind, str)):
        missing = "kind" if isinstance(api_version, str) else "apiVersion"
        raise msgspec.ValidationError(f"{missing} is missing or not text")
    known = find_kind(api_version, kind)
    if known is None:
        raise msgspec.ValidationError(f"a snapshot holds no {kind} of {api_version}")
    return msgspec.convert(raw, known.reads)
