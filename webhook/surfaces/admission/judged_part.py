"""
The judged part of an object: the API server sends an update only if this part changes (``hooks``).

The other parts (metadata, status, replicas, starting and stopping) change without a request to this server. So these parts must
not decide whether an object is readable, or whether an update adds a finding. Otherwise a user could change these parts first,
so that a later bad change passes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from webhook.objects.json_depth import Place, Raw, is_deep, truncated
from webhook.objects.lenient import parse
from webhook.objects.meta import Json

_MACHINE: Final = ("template", "dataVolumeTemplates", "instancetype", "preference")
KUBEVIRT_FIELDS: Final = (
    "configuration",
    "workloadUpdateStrategy",
    "uninstallStrategy",
    "imagePullPolicy",
    "customizeComponents",
)
_POOLED: Final = ("spec", "virtualMachineTemplate", "spec")
PARTS: Final[Mapping[str, tuple[Place, ...]]] = {
    "VirtualMachine": tuple(("spec", field) for field in _MACHINE),
    "VirtualMachineInstance": (("spec",),),
    "VirtualMachineInstanceReplicaSet": (("spec", "template"),),
    "VirtualMachinePool": tuple((*_POOLED, field) for field in _MACHINE),
    "KubeVirt": tuple(("spec", field) for field in KUBEVIRT_FIELDS),
    "HyperConverged": (("spec",),),
    "NetworkAttachmentDefinition": (("spec", "config"),),
    "MigrationPolicy": (("spec",),),
}
"""For each kind, the paths of the fields that the conditions in ``hooks`` compare."""


def is_judged(kind: str, place: Place) -> bool:
    """Whether a place is in the judged part of a kind."""
    return any(place[: len(part)] == part for part in PARTS[kind])


def only_judged(kind: str, value: Json) -> Json:
    """The judged part and the metadata of an object."""
    return _only(value, (*PARTS[kind], ("metadata",)))


def same_judged_part(kind: str, new: Raw, old: Raw) -> bool:
    """Whether the judged parts of two objects are the same JSON, even if they are not valid for that kind."""
    try:
        left, right = (parse(truncated(raw) if is_deep(raw) else raw) for raw in (new, old))
    except ValueError:  # msgspec's errors and UnicodeDecodeError are ValueErrors
        return False
    return _written(_only(left, PARTS[kind])) == _written(_only(right, PARTS[kind]))


def _only(value: Json, parts: Sequence[Place]) -> Json:
    """Returns only ``parts`` of the value. A value on the path of a part stays unchanged if it is not an object."""
    if not isinstance(value, Mapping):
        return value
    inner: dict[str, list[Place]] = {}
    for first, *rest in parts:
        inner.setdefault(first, []).append(tuple(rest))
    return {
        key: value[key] if () in rests else _only(value[key], rests) for key, rests in inner.items() if key in value
    }


def _written(value: Json) -> bytes:
    """
    Canonical JSON of a value. Unlike ``==``, canonical JSON distinguishes 1 from true. The function is recursive, so the
    value must not be deeply nested.
    """
    return msgspec.json.encode(value, order="sorted")
