"""
Writes the snapshot of a cluster from which a drain is rehearsed (``migratable snapshot --drain``).

The file has the format of ``webhook.manifests.snapshot`` and more kinds. It has only the fields that a rehearsal reads, so it
contains neither cloud-init content nor commands, environment variables and images of pods. This module does no I/O.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec

from webhook.facts.fleet import Fleet
from webhook.manifests.snapshot import ANNOTATIONS, LEFT_OUT, file_of, without_secrets
from webhook.objects.fleet_kinds import DRAIN_KINDS, classes_of
from webhook.objects.kinds import Kind
from webhook.objects.launcher_vmi import Probe
from webhook.objects.meta import Json, Kubernetes, ObjectMeta
from webhook.objects.nad import NetworkSpec

_HOOKS: Final = "hooks.kubevirt.io/hookSidecars"
_MORE_ANNOTATIONS: Final = re.compile(
    r"^pv\.kubernetes\.io/bind-completed$|^volume\.kubernetes\.io/selected-node$|"
    r"^volume\.beta\.kubernetes\.io/storage-class$|^sidecar\.istio\.io/inject$"
)
_LEFT_OUT_FIELDS: Final = frozenset(("resource_version",))


def render_fleet(fleet: Fleet) -> str:
    """The text of a snapshot file with all objects of the fleet, sorted, so that ``diff`` can compare two snapshots."""
    objects = [plain for kind in DRAIN_KINDS for plain in _objects(fleet, kind)]
    complete = [kind.kind for kind in DRAIN_KINDS if kind.reads in fleet.complete]
    unread = {kind.kind: fleet.unread[kind.reads] for kind in DRAIN_KINDS if kind.reads in fleet.unread}
    return file_of(complete, unread, objects)


def _objects(fleet: Fleet, kind: Kind) -> list[Json]:
    """The objects of a kind. Each has the fields of all classes into which it was read."""
    return [plain for _, plain in plain_objects(fleet, kind)]


def plain_objects(
    fleet: Fleet, kind: Kind, leave_out: Collection[tuple[str, str]] = ()
) -> Iterator[tuple[Kubernetes, dict[str, Json]]]:
    """
    The objects of a kind in the fleet, sorted, each with the fields of all classes into which it was read.

    ``leave_out`` contains namespaces and names.
    """
    views = [{(one.namespace, one.name): one for one in fleet.given(reads)} for reads in classes_of(kind)]
    for key in sorted(set().union(*views).difference(leave_out)):
        given = [of_class[key] for of_class in views if key in of_class]
        plain = _plain(given[0])
        for view in given[1:]:
            plain = _merged(plain, _plain(view))
        yield given[0], _ordered(kind, plain)


def _ordered(kind: Kind, plain: dict[str, Json]) -> Json:
    """``apiVersion`` and ``kind`` come first, because the reader divides a large file before them."""
    api_version = plain.pop("apiVersion", None) or "/".join(filter(None, (kind.group, kind.versions[0])))
    return {"apiVersion": api_version, "kind": kind.kind, **{key: plain[key] for key in plain if key != "kind"}}


def _plain(one: Kubernetes) -> dict[str, Json]:
    plain: dict[str, Json] = _sparse(one)
    return plain


def _sparse(value: Json) -> Json:
    """A value without fields that have their default."""
    if isinstance(value, msgspec.Struct):
        return _sparse_struct(value)
    if isinstance(value, list):
        return [_sparse(item) for item in value]
    if isinstance(value, dict):
        return {key: _sparse(member) for key, member in value.items() if member is not None}
    return value


def _sparse_struct(value: msgspec.Struct) -> Json:
    if isinstance(value, Probe):  # only the presence of a command matters, and the command can contain a password
        return {} if value.exec is None else {"exec": {}}
    plain = {
        encoded: _sparse(member)
        for name, encoded, default in _fields(type(value))
        if (member := getattr(value, name)) != default
    }
    if isinstance(value, ObjectMeta) and "annotations" in plain:
        plain["annotations"] = _annotations(plain["annotations"])
    if isinstance(value, NetworkSpec) and value.config:
        plain["config"] = without_secrets(value.config)
    return plain


_known_fields: dict[type[msgspec.Struct], list[tuple[str, str, Json]]] = {}


def _fields(struct: type[msgspec.Struct]) -> list[tuple[str, str, Json]]:
    """The name, the encoded name and the default of each field. A name with a space is a computed value."""
    known = _known_fields.get(struct)
    if known is None:
        known = _known_fields[struct] = [
            (field.name, field.encode_name, _default(field))
            for field in msgspec.structs.fields(struct)
            if " " not in field.encode_name and field.name not in _LEFT_OUT_FIELDS
        ]
    return known


def _default(field: msgspec.structs.FieldInfo) -> Json:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    kept = {
        key: annotations[key] for key in sorted(annotations) if ANNOTATIONS.search(key) or _MORE_ANNOTATIONS.search(key)
    }
    if _HOOKS in kept:
        kept[_HOOKS] = _sidecars(kept[_HOOKS])
    return kept


def _sidecars(text: str) -> str:
    """The list of hook sidecars, of which only the number and the claims matter."""
    try:
        sidecars = json.loads(text)
    except (ValueError, RecursionError):
        return LEFT_OUT
    if not isinstance(sidecars, list):
        return "null" if sidecars is None else LEFT_OUT
    return json.dumps([{"pvc": {"name": name}} if (name := _claim(one)) else {} for one in sidecars])


def _claim(sidecar: Json) -> str:
    claim = sidecar.get("pvc") if isinstance(sidecar, dict) else None
    name = claim.get("name") if isinstance(claim, dict) else None
    return name if isinstance(name, str) else ""


def _merged(first: Json, second: Json) -> Json:
    """Two views of one object. A list has the same length in both."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {
            key: _merged(first[key], second[key]) if key in first and key in second else first.get(key, second.get(key))
            for key in first | second
        }
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return [_merged(one, other) for one, other in zip(first, second, strict=True)]
    return first
