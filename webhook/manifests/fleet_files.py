"""
Reads the objects of a cluster from files, for the rehearsal of a drain.

A file holds Kubernetes objects as YAML documents or as a JSON List, such as the output of ``kubectl get -A -o json``. JSON is
decoded object by object into the fields that are read, because 20,000 pods as plain values would take a gigabyte. A large file
is a ``Stream``, and only a few objects of it are in memory as text. Secrets and cloud-init content are not among these fields.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.facts.fleet import Fleet
from webhook.manifests.json_items import End, Header, Item, JsonItems, Source
from webhook.manifests.objects import ManifestObject, read_manifests
from webhook.manifests.snapshot import parse
from webhook.manifests.yaml_items import YamlItems, begins_list
from webhook.objects.fleet_kinds import VIEWS, classes_of, find_fleet_kind
from webhook.objects.json_depth import decode
from webhook.objects.kinds import Kind
from webhook.objects.lenient import read_object
from webhook.objects.meta import Json, Kubernetes, Read
from webhook.objects.path import dotted
from webhook.objects.pods import Pod
from webhook.objects.shared_parts import SharedParts
from webhook.objects.wrong_quantities import wrong_quantity
from webhook.report.model import API_VERSION

MOST_BYTES = 512 * 2**20
"""The maximum size of a file that is read at once."""
_SNAPSHOT = re.compile(rb"""\bkind["']?:[ ]?["']?Snapshot\b""")
_HEAD_BYTES = 4096


class Stream(msgspec.Struct, frozen=True):
    """A large file: its first bytes, and the rest. It is JSON, or a List in kubectl's YAML (``begins_list``)."""

    begin: bytes
    rest: Source


Seen: TypeAlias = Callable[[Kind, str, bytes | ManifestObject], None]
"""
Receives the kind, the apiVersion and the content of each object that was read. An object of a YAML document is a manifest with
lines, and other objects are JSON. The objects of snapshots are left out.
"""


def _ignore(*_: object) -> None:
    """Keeps nothing."""


class FleetInput(msgspec.Struct):
    """The objects of all files, and the problems."""

    objects: dict[type[Kubernetes], dict[tuple[str, str], Kubernetes]] = msgspec.field(default_factory=dict)
    complete: set[type[Kubernetes]] = msgspec.field(default_factory=set)
    problems: list[BadInput] = msgspec.field(default_factory=list)
    ignored: Counter[str] = msgspec.field(default_factory=Counter)
    """The number of objects of each kind that a rehearsal does not read."""
    unread: dict[type[Kubernetes], str] = msgspec.field(default_factory=dict)
    """The classes that a snapshot does not have, each with the reason."""
    seen: Seen = _ignore
    _shared: SharedParts = msgspec.field(default_factory=SharedParts)

    def add(self, kind: Kind, given: Kubernetes, source: str) -> None:
        """
        Adds an object. Two different objects with one name are a problem, because the order of files must not matter.

        The resourceVersion is not kept. It differs between two reads of one object, and a snapshot has none.
        """
        if given.metadata is not None:
            msgspec.structs.force_setattr(given.metadata, "resource_version", None)
        key = (given.namespace or ("default" if kind.namespaced else ""), given.name)
        members = self.objects.setdefault(type(given), {})
        if isinstance(given, Pod):
            self._shared.lean(given)
        if members.setdefault(key, given) != given:
            name = "/".join(filter(None, key))
            message = f"{kind.kind} {name} is given twice, with different content"
            self.problems.append(BadInput(message, remedy="Provide each object once.", source=source))

    def fleet(self) -> Fleet:
        """The objects, of which each class with an object counts as provided."""
        objects = {kind: tuple(members.values()) for kind, members in self.objects.items()}
        complete = frozenset(self.complete)
        complete |= {view for reads in complete for view in VIEWS.get(reads, ())}
        provided = complete | {kind for kind, members in objects.items() if members}
        return Fleet(
            objects, provided, complete, {kind: why for kind, why in self.unread.items() if kind not in provided}
        )


def read_fleet(files: Iterable[tuple[str, bytes | Stream]], seen: Seen = _ignore) -> FleetInput:
    """
    The objects in files, each given as name and content.

    Never raises. Unreadable input becomes a problem with file, document and path.
    """
    read = FleetInput(seen=seen)
    for name, content in files:
        try:
            _read_file(name, content, read)
        except BadInput as problem:
            read.problems.append(problem)
        except Misconfigured as error:  # an invalid snapshot; the message names the file
            read.problems.append(BadInput(error.message, remedy=error.remedy))
    return read


class _Identity(Read, frozen=True):
    api_version: str = ""
    kind: str = ""


class _Page(Read, frozen=True):
    more: str = msgspec.field(default="", name="continue")


class _List(Read, frozen=True):
    api_version: str = ""
    kind: str = ""
    metadata: _Page | None = None
    items: list[msgspec.Raw] | None = None


_list_decoder = msgspec.json.Decoder(_List)
_identity_decoder = msgspec.json.Decoder(_Identity)
_decoders: dict[type[Kubernetes], "msgspec.json.Decoder[Kubernetes]"] = {}


def _read_file(name: str, content: bytes | Stream, read: FleetInput) -> None:
    if isinstance(content, Stream):
        if begins_list(content.begin):
            for part in YamlItems(content.rest, name, content.begin):
                _read_part(name, part.text, part.lines_before, 0, read)
        else:
            _read_stream(name, content, read)
    elif len(content) > MOST_BYTES:
        raise BadInput(
            f"the file is larger than {MOST_BYTES // 2**20} MiB", remedy="Write one file for each kind.", source=name
        )
    elif is_snapshot(content):
        _read_snapshot(name, content, read)
    elif not content.lstrip().startswith(b"{") or not _read_json(name, content, read):
        _read_documents(name, content, read)


def _read_snapshot(name: str, content: bytes, read: FleetInput) -> None:
    snapshot = parse(content, name, classes_of)
    for given in snapshot.objects:
        kind = find_fleet_kind(given.api_version, given.kind)
        if kind is None:
            continue
        wrong = wrong_quantity(given)
        if wrong is None:
            read.add(kind, given, name)
        else:
            message = f"{kind.kind} {'/'.join(filter(None, (given.namespace, given.name)))}: {dotted(wrong)} is not a quantity"
            remedy = "Create the snapshot again with: migratable snapshot --drain."
            read.problems.append(BadInput(message, remedy=remedy, source=name))
    read.complete |= snapshot.complete
    read.unread |= snapshot.unread


def is_snapshot(begin: bytes) -> bool:
    """Whether a file that begins with these bytes is a snapshot."""
    head = begin[:_HEAD_BYTES]
    return API_VERSION.encode() in head and _SNAPSHOT.search(head) is not None


def _read_json(name: str, content: bytes, read: FleetInput) -> bool:
    """Adds the objects of a JSON object or List. Returns False, without an addition, if an object cannot be read."""
    found: list[tuple[Kind, str, msgspec.Raw, list[Kubernetes]]] = []
    ignored: Counter[str] = Counter()
    complete: set[type[Kubernetes]] = set()
    try:
        for identity, raw in _items(content, complete):
            kind = find_fleet_kind(identity.api_version, identity.kind)
            if kind is None:
                ignored[identity.kind] += 1
            else:
                found.append((kind, identity.api_version, raw, _views(raw, kind, identity)))
    except (msgspec.DecodeError, UnicodeDecodeError):  # the slower reader names the place
        return False
    for kind, api_version, raw, views in found:
        for given in views:
            read.add(kind, given, name)
        read.seen(kind, api_version, bytes(raw))
    read.ignored += ignored
    read.complete |= complete
    return True


def _read_stream(name: str, stream: Stream, read: FleetInput) -> None:
    """Adds the objects of a large JSON file. Items without a kind wait for the kind of their List."""
    waiting: list[Item] = []
    problems_before = len(read.problems)
    for entry in JsonItems(stream.rest, name, stream.begin):
        if isinstance(entry, End):
            shared = _shared_identity(entry.header)
            for item in waiting:
                _read_item(name, item, shared, read)
            waiting.clear()
            kind = find_fleet_kind(shared.api_version, shared.kind)
            if kind is not None and not entry.header.is_partial and len(read.problems) == problems_before:
                read.complete.add(kind.reads)
            problems_before = len(read.problems)
        elif entry.index is None:
            waiting.clear()  # the field ``items`` of an object that is no List
            _read_item(name, entry, _Identity(), read)
        else:
            shared = _shared_identity(entry.header)
            if shared.kind or b'"kind"' in entry.text:
                _read_item(name, entry, shared, read)
            else:
                waiting.append(entry)


def _shared_identity(header: Header) -> _Identity:
    """The kind of the items of a typed list."""
    return _Identity(header.api_version, header.kind.removesuffix("List")) if header.kind != "List" else _Identity()


def _read_item(name: str, item: Item, shared: _Identity, read: FleetInput) -> None:
    """Adds the object in an item. The slower reader reads an item that cannot be decoded, and names the place."""
    try:
        own = decode(_identity_decoder, item.text)
        identity = own if own.kind else shared
        kind = find_fleet_kind(identity.api_version, identity.kind)
        if kind is not None:
            for view in _views(item.text, kind, identity):
                read.add(kind, view, name)
            read.seen(kind, identity.api_version, item.text)
        else:
            read.ignored[identity.kind] += 1
    except (msgspec.DecodeError, UnicodeDecodeError):
        given = msgspec.json.encode({"apiVersion": shared.api_version, "kind": shared.kind})
        text = item.text if b'"kind"' in item.text or not shared.kind else given[:-1] + b"," + item.text.lstrip()[1:]
        _read_part(name, text, item.lines_before, item.document, read)


def _read_part(name: str, text: bytes, lines_before: int, document: int, read: FleetInput) -> None:
    """Adds the objects in a part of a file. Problems name the line in the file."""
    before = len(read.problems)
    _read_documents(name, text, read, is_part=True)
    for problem in read.problems[before:]:
        problem.document, problem.column = document, None
        problem.line = lines_before + (problem.line or 1)


def _views(raw: bytes | msgspec.Raw, kind: Kind, identity: _Identity) -> list[Kubernetes]:
    """The object in all classes into which it is read. Raises DecodeError if it cannot be read."""
    views = [_named(read_object(_decoder(reads), reads, raw), identity) for reads in classes_of(kind)]
    if any(wrong_quantity(view) is not None for view in views):
        raise msgspec.DecodeError("not a quantity")
    return views


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
        is_partial = whole.metadata is not None and bool(whole.metadata.more)
        if kind is not None and not is_partial:
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


def _read_documents(name: str, content: bytes, read: FleetInput, *, is_part: bool = False) -> None:
    """Adds the objects in documents. The lines in a part are not those of the file, so its objects are seen as JSON."""
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
            read.seen(kind, manifest.api_version, msgspec.json.encode(manifest.raw) if is_part else manifest)


def _object_of(manifest: ManifestObject, reads: type[Kubernetes]) -> Kubernetes:
    given = manifest.object
    if type(given) is not reads:
        try:
            given = _convert(manifest.raw, reads)
        except msgspec.ValidationError as error:
            raise _wrong_type(manifest, error, reads) from None
    if not given.name:
        raise _problem(manifest, ("metadata",), "metadata.name is missing", "Add the name of the object.")
    wrong = wrong_quantity(given)
    if wrong is not None:
        raise _problem(manifest, wrong, "not a quantity", "Write a quantity, such as 500m or 64Mi.")
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
