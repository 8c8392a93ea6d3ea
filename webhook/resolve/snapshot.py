"""
A snapshot: the few facts of a cluster that verdicts need, in a file that is small, sorted and fit to be compared by line.

Only fields that something here reads are kept, so there is no secret in it: nothing of Secrets is read, and of a network's
configuration the values of keys that sound like one are left out. This file does no I/O.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.facts.snapshot import Snapshot
from webhook.facts.unknown import Fact, Unknown
from webhook.objects import instancetype, kubevirt, nad, storage
from webhook.objects.kinds import BY_CLASS, KINDS, Kind, find_kind
from webhook.objects.meta import Kubernetes
from webhook.report import as_yaml
from webhook.report.model import API_VERSION
from webhook.resolve.kubeyaml import read_documents

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


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    api_version: str
    kind: str
    complete: list[str] = []
    """Kinds of which everything there is stands here."""
    unread: dict[str, str] = {}
    """Kinds that could not be read, and why."""
    objects: list[dict[str, Any]] = []


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
    return HEADER + as_yaml.dump(file)


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
        read = json.loads(config)
    except (ValueError, RecursionError):
        return LEFT_OUT if _SECRET.search(config) else config
    return json.dumps(_masked(read)) if _SECRET.search(config) else config


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
    """What a snapshot's file says; raises Misconfigured with file and place for whatever is wrong."""
    refuse_larger(len(content), source)
    remedy = "Take it anew: migratable snapshot."
    try:
        parts = [_part(text, source, line) for text, line in _parts(content)]
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{source} is not a snapshot: {error}", remedy=remedy) from None
    file = parts[0]
    if file.kind != "Snapshot" or file.api_version != API_VERSION:
        raise Misconfigured(f"{source} is not a snapshot: it is {file.api_version} {file.kind}", remedy=remedy)
    by_name = {known.reads.__name__: known.reads for known in KINDS}
    complete = frozenset(by_name[each] for each in file.complete if each in by_name)
    objects = (each for part in parts for each in part.objects)
    return Snapshot(tuple(_object(each, at, source) for at, each in enumerate(objects)), complete)


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


def _part(text: bytes, source: str, before: int) -> _File:
    try:
        documents = read_documents(text, source)
    except BadInput as error:
        message = error.message.replace(f"line {error.line} is", "this is", 1)
        raise Misconfigured(f"{source}:{before + (error.line or 1)}: {message}", remedy=error.remedy) from None
    return msgspec.convert(documents[0].value if len(documents) == 1 else None, _File)


def _object(raw: Mapping[str, Any], at: int, source: str) -> Kubernetes:
    known = find_kind(str(raw.get("apiVersion")), str(raw.get("kind")))
    remedy = "Take the snapshot anew: migratable snapshot."
    if known is None:
        raise Misconfigured(f"{source}: objects[{at}] is of no kind that is known", remedy=remedy)
    try:
        return msgspec.convert(raw, known.reads)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{source}: objects[{at}]: {error}", remedy=remedy) from None
