"""
Reads the objects of a cluster from files, for the rehearsal of a drain.

A file holds Kubernetes objects as YAML documents or as a JSON List, such as the output of ``kubectl get -A -o json``. JSON is
decoded object by object into the fields that are read, because 20,000 pods as plain values would take a gigabyte. Secrets and
cloud-init content are not among these fields.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.manifests.objects import ManifestObject, read_manifests
from webhook.manifests.snapshot import parse
from webhook.objects.fleet_kinds import VIEWS, classes_of, find_fleet_kind
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Json, Kubernetes, Read
from webhook.objects.path import dotted

MOST_BYTES = 512 * 2**20
"""The maximum size of a file."""
SNAPSHOT = "kind: Snapshot"


class FleetInput(msgspec.Struct):
    """The objects of all files, and the problems."""

    objects: dict[type[Kubernetes], dict[tuple[str, str], Kubernetes]] = msgspec.field(default_factory=dict)
    complete: set[type[Kubernetes]] = msgspec.field(default_factory=set)
    problems: list[BadInput] = msgspec.field(default_factory=list)
    ignored: Counter[str] = msgspec.field(default_factory=Counter)
    """The number of objects of each kind that a rehearsal does not read."""

    def add(self, kind: Kind, given: Kubernetes, source: str) -> None:
        """Adds an object. Two different objects with one name are a problem, because the order of files must not matter."""
        key = (given.namespace or ("default" if kind.namespaced else ""), given.name)
        members = self.objects.setdefault(type(given), {})
        if members.setdefault(key, given) != given:
            name = "/".join(filter(None, key))
            message = f"{kind.kind} {name} is given twice, with different content"
            self.problems.append(BadInput(message, remedy="Provide each object once.", source=source))

    def fleet(self) -> Fleet:
        """The objects, of which each class with an object counts as provided."""
        objects = {kind: tuple(members.values()) for kind, members in self.objects.items()}
        complete = frozenset(self.complete)
        complete |= {view for reads in complete for view in VIEWS.get(reads, ())}
        return Fleet(objects, complete | {kind for kind, members in objects.items() if members}, complete)


def read_fleet(files: Iterable[tuple[str, bytes]]) -> FleetInput:
    """
    The objects in files, each given as name and content.

    Never raises. Unreadable input becomes a problem with file, document and path.
    """
    read = FleetInput()
    for name, content in files:
        try:
            _read_file(name, content, read)
        except BadInput as problem:
            read.problems.append(problem)
    return read


class _Identity(Read, frozen=True):
    api_version: str = ""
    kind: str = ""


class _List(Read, frozen=True):
    api_version: str = ""
    kind: str = ""
    items: list[msgspec.Raw] | None = None


_list_decoder = msgspec.json.Decoder(_List)
_identity_decoder = msgspec.json.Decoder(_Identity)
_decoders: dict[type[Kubernetes], "msgspec.json.Decoder[Kubernetes]"] = {}


def _read_file(name: str, content: bytes, read: FleetInput) -> None:
    if len(content) > MOST_BYTES:
        raise BadInput(
            f"the file is larger than {MOST_BYTES // 2**20} MiB", remedy="Write one file for each kind.", source=name
        )
    if SNAPSHOT.encode() in content[:4096]:
        snapshot = parse(content, name)
        for given in snapshot.objects:
            kind = find_fleet_kind(given.api_version, given.kind)
            if kind is not None:
                read.add(kind, given, name)
        read.complete |= snapshot.complete
    elif not content.lstrip().startswith(b"{") or not _read_json(name, content, read):
        _read_documents(name, content, read)


def _read_json(name: str, content: bytes, read: FleetInput) -> bool:
    """Adds the objects of a JSON object or List. Returns False, without an addition, if an object cannot be read."""
    found: list[tuple[Kind, Kubernetes]] = []
    ignored: Counter[str] = Counter()
    complete: set[type[Kubernetes]] = set()
    try:
        for identity, raw in _items(content, complete):
            kind = find_fleet_kind(identity.api_version, identity.kind)
            if kind is None:
                ignored[identity.kind] += 1
            else:
                found += [
                    (kind, _named(read_object(_decoder(reads), reads, raw), identity)) for reads in classes_of(kind)
                ]
    except (msgspec.DecodeError, UnicodeDecodeError):  # the slower reader names the place
        return False
    for kind, given in found:
        read.add(kind, given, name)
    read.ignored += ignored
    read.complete |= complete
    return True


def _items(content: bytes | msgspec.Raw, complete: set[type[Kubernetes]]) -> Iterator[tuple[_Identity, msgspec.Raw]]:
    """The objects of a List with their kinds. A typed list makes its kind complete, because it may be empty."""
    whole = decode(_list_decoder, content)
    if not whole.kind.endswith("List"):
        yield _Identity(whole.api_version, whole.kind), msgspec.Raw(content)
        return
    shared = _Identity()
    if whole.kind != "List":
        shared = _Identity(whole.api_version, whole.kind.removesuffix("List"))
        kind = find_fleet_kind(shared.api_version, shared.kind)
        if kind is not None:
            complete.add(kind.reads)
    for raw in whole.items or ():
        own = decode(_identity_decoder, raw)
        yield (own if own.kind else shared), raw


def _decoder(reads: type[Kubernetes]) -> "msgspec.json.Decoder[Kubernetes]":
    known = _decoders.get(reads)
    if known is None:
        known = _decoders[reads] = msgspec.json.Decoder(reads)
    return known


def _named(given: Kubernetes, identity: _Identity) -> Kubernetes:
    if not given.name:
        raise msgspec.DecodeError("an object has no name")
    if given.kind:
        return given
    return msgspec.structs.replace(given, api_version=identity.api_version, kind=identity.kind)


def _read_documents(name: str, content: bytes, read: FleetInput) -> None:
    manifests = read_manifests(content, name, most_bytes=MOST_BYTES)
    read.problems += manifests.problems
    for manifest in manifests.objects:
        kind = find_fleet_kind(manifest.api_version, manifest.kind)
        if kind is None:
            read.ignored[manifest.kind] += 1
            continue
        try:
            views = [_object_of(manifest, reads) for reads in classes_of(kind)]
        except BadInput as problem:
            read.problems.append(problem)
        else:
            for view in views:
                read.add(kind, view, name)


def _object_of(manifest: ManifestObject, reads: type[Kubernetes]) -> Kubernetes:
    given = manifest.object
    if type(given) is not reads:
        try:
            given = _convert(manifest.raw, reads)
        except msgspec.ValidationError as error:
            raise _wrong_type(manifest, error, reads) from None
    if not given.name:
        raise _problem(manifest, ("metadata",), "metadata.name is missing", "Add the name of the object.")
    return given


def _convert(value: Json, reads: type[Kubernetes]) -> Kubernetes:
    from webhook.objects.nulls import without_nulls  # noqa: PLC0415 - most files are JSON

    return msgspec.convert(without_nulls(value), reads)


def _wrong_type(manifest: ManifestObject, error: msgspec.ValidationError, reads: type[Kubernetes]) -> BadInput:
    from webhook.manifests.typed import locate  # noqa: PLC0415 - only needed after an error

    fault = locate(manifest.raw, error, lambda part: _convert(part, reads))
    remedy = "Use the type that the Kubernetes API defines for this field."
    return _problem(manifest, fault.place, f"wrong type: {fault.message}", remedy)


def _problem(manifest: ManifestObject, path: Sequence[str | int], message: str, remedy: str) -> BadInput:
    document = manifest.document
    mark = document.mark((*manifest.at, *path))
    return BadInput(
        message,
        remedy=remedy,
        source=document.source,
        document=document.index,
        line=mark.line,
        column=mark.column,
        path=dotted(tuple(path)),
    )
