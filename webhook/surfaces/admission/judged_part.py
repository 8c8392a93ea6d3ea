"""
The part of an object that is judged: only where it changes, the API server sends an update (``hooks``).

All else (metadata, status, replicas, starting and stopping) changes unseen. So it has no say in whether an object can be read,
or in whether an update adds harm: else an unseen change could open the way for the next one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from webhook.objects.json_depth import Place, Raw, is_deep, truncated
from webhook.objects.lenient import parse
from webhook.objects.meta import Json

_MACHINE: Final = ("template", "dataVolumeTemplates", "instancetype", "preference")
_POOLED: Final = ("spec", "virtualMachineTemplate", "spec")
PARTS: Final[Mapping[str, tuple[Place, ...]]] = {
    "VirtualMachine": tuple(("spec", each) for each in _MACHINE),
    "VirtualMachineInstance": (("spec",),),
    "VirtualMachineInstanceReplicaSet": (("spec", "template"),),
    "VirtualMachinePool": tuple((*_POOLED, each) for each in _MACHINE),
    "KubeVirt": (("spec", "configuration"),),
    "NetworkAttachmentDefinition": (("spec", "config"),),
    "MigrationPolicy": (("spec",),),
}
"""By kind, the paths of the fields that ``hooks`` compares."""


def within(kind: str, place: Place) -> bool:
    """Whether a place is in the judged part."""
    return any(place[: len(part)] == part for part in PARTS[kind])


def judged_alone(kind: str, value: Json) -> Json:
    """The same object without what is not judged, except for its metadata."""
    return _only(value, (*PARTS[kind], ("metadata",)))


def same_judged_part(kind: str, new: Raw, old: Raw) -> bool:
    """Whether two objects hold the same JSON in their judged parts, also where it cannot be read as that kind."""
    try:
        left, right = (parse(truncated(each) if is_deep(each) else each) for each in (new, old))
    except ValueError:  # also msgspec's errors and UnicodeDecodeError
        return False
    return _written(_only(left, PARTS[kind])) == _written(_only(right, PARTS[kind]))


def _only(value: Json, parts: Sequence[Place]) -> Json:
    """What lies on the way to the parts and in them; a value on the way that is no object stays as it is."""
    if not isinstance(value, Mapping):
        return value
    further: dict[str, list[Place]] = {}
    for first, *rest in parts:
        further.setdefault(first, []).append(tuple(rest))
    return {
        key: value[key] if () in rests else _only(value[key], rests) for key, rests in further.items() if key in value
    }


def _written(value: Json) -> bytes:
    """One text for all spellings of a value; unlike ``==`` it tells 1 from true. It recurses, so the value must not be deep."""
    return msgspec.json.encode(value, order="sorted")
