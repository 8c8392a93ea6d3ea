"""
A snapshot: the few facts of a cluster that verdicts need, in a file that is small, sorted and fit to be compared by line.

Only fields that something here reads are kept, so there is no secret in it: nothing of Secrets is read, and of a network's
configuration the values of keys that sound like one are left out. This file does no I/O.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
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


def parse(content: bytes, source: str) -> Snapshot:
    """What a snapshot's file says; raises Misconfigured with file and place for whatever is wrong."""
    remedy = "Take it anew: migratable snapshot."
    try:
        documents = read_documents(content, source)
        file = msgspec.convert(documents[0].value if len(documents) == 1 else None, _File)
    except BadInput as error:
        raise Misconfigured(f"{source}:{error.line}: {error.message}", remedy=error.remedy) from None
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{source} is not a snapshot: {error}", remedy=remedy) from None
    if file.kind != "Snapshot" or file.api_version != API_VERSION:
        raise Misconfigured(f"{source} is not a snapshot: it is {file.api_version} {file.kind}", remedy=remedy)
    by_name = {known.reads.__name__: known.reads for known in KINDS}
    complete = frozenset(by_name[each] for each in file.complete if each in by_name)
    return Snapshot(tuple(_object(each, at, source) for at, each in enumerate(file.objects)), complete)


def _object(raw: Mapping[str, Any], at: int, source: str) -> Kubernetes:
    known = find_kind(str(raw.get("apiVersion")), str(raw.get("kind")))
    remedy = "Take the snapshot anew: migratable snapshot."
    if known is None:
        raise Misconfigured(f"{source}: objects[{at}] is of no kind that is known", remedy=remedy)
    try:
        return msgspec.convert(raw, known.reads)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{source}: objects[{at}]: {error}", remedy=remedy) from None
