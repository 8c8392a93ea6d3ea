"""
Fields, values and quantities of a manifest that KubeVirt's API does not have.

By default, kubectl refuses an unknown field. For other clients, the API server drops the field silently. The known names are
all names in KubeVirt 1.3 to 1.9 (``field_names``). Other rules report fields that are newer than the cluster.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

from webhook.facts.manifest import InvalidQuantity, UnknownField, UnknownValue
from webhook.kubevirt.schema.field_names import FIELDS, ROOTS
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.kubevirt import Misplaced
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.objects.quantity import accepts

Problems: TypeAlias = tuple[tuple[UnknownField, ...], tuple[UnknownValue, ...], tuple[InvalidQuantity, ...]]
_Check: TypeAlias = "dict[str, _Check] | frozenset[str] | str | None"

VALUES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("V1VirtualMachineSpec", "runStrategy"): (
        *("Always", "RerunOnFailure", "Manual", "Halted", "Once"),
        "WaitAsReceiver",  # 1.6
    ),
    ("V1KubeVirtConfiguration", "vmRolloutStrategy"): ("Stage", "LiveUpdate"),
    ("V1VirtualMachineSpec", "updateVolumesStrategy"): ("Replacement", "Migration"),
    ("V1VirtualMachineInstanceSpec", "startStrategy"): ("Paused",),
    ("V1VirtualMachineInstanceSpec", "architecture"): ("amd64", "arm64", "s390x", "ppc64le"),
    ("V1DiskTarget", "bus"): ("virtio", "sata", "scsi", "usb"),
    ("V1CDRomTarget", "bus"): ("virtio", "sata", "scsi", "usb"),
    ("V1LunTarget", "bus"): ("virtio", "sata", "scsi", "usb"),
    ("V1Disk", "cache"): ("none", "writethrough", "writeback"),
    ("V1Disk", "io"): ("native", "default", "threads"),
    ("V1CPUFeature", "policy"): ("force", "require", "optional", "disable", "forbid"),
    ("V1Port", "protocol"): ("TCP", "UDP"),
    ("K8sIoApiCoreV1PersistentVolumeClaimSpec", "accessModes"): (
        *("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"),
    ),
    ("V1beta1StorageSpec", "accessModes"): ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"),
    ("K8sIoApiCoreV1PersistentVolumeClaimSpec", "volumeMode"): ("Block", "Filesystem"),
    ("V1beta1StorageSpec", "volumeMode"): ("Block", "Filesystem"),
    ("ClaimPropertySet", "accessModes"): ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"),
    ("ClaimPropertySet", "volumeMode"): ("Block", "Filesystem"),
}
"""
The values of fields. Sources, v1.9.0: the constants of ``staging/src/kubevirt.io/api/core/v1/types.go`` and ``schema.go``, and
``pkg/virt-api/webhooks/validating-webhook/admitters/vmi-create-admitter.go``; access and volume modes are Kubernetes' own.
"""

QUANTITIES = frozenset(
    (
        ("V1Memory", "guest"),
        ("V1Memory", "maxGuest"),
        ("V1beta1MemoryInstancetype", "guest"),
        ("V1beta1MemoryInstancetype", "maxGuest"),
        ("V1beta1MemoryPreferenceRequirement", "guest"),
        ("V1EmptyDiskSource", "capacity"),
        ("V1HostDisk", "capacity"),
        ("K8sIoApiCoreV1ResourceFieldSelector", "divisor"),
        ("V1LiveUpdateConfiguration", "maxGuest"),
        ("V1KubeVirtConfiguration", "cpuRequest"),
        ("V1DiskVerification", "memoryLimit"),
    )
)
QUANTITY_MAPS = frozenset(
    (kind, key)
    for kind in (
        "V1ResourceRequirements",
        "K8sIoApiCoreV1VolumeResourceRequirements",
        "V1ResourceRequirementsWithoutClaims",
    )
    for key in ("requests", "limits")
)
"""
Fields that are a quantity, or a map of quantities, in KubeVirt 1.3 to 1.9. They have the pattern of quantities in
``validations_generated.go`` (v1.3.1 and v1.9.0, ``pkg/virt-operator/resource/generate/components``). Rules of family 6 check
``bandwidthPerMigration``, which is left out here.
"""

_SHORT = {"RWX": "ReadWriteMany", "RWO": "ReadWriteOnce", "ROX": "ReadOnlyMany", "RWOP": "ReadWriteOncePod"}
"""The short names of access modes in kubectl's output."""
_PLACEHOLDERS = ("${", "{{")
"""The start of a value that a template fills in."""
_MAP = "*"
_QUANTITY, _QUANTITY_MAP = "#", "*#"
"""Markers for a quantity and for a map of quantities, used in place of a type's name."""
_UNKNOWN = "?"
"""A marker for an unknown field."""
_NESTED = (dict, list)
_STATUS = "status"
"""A top-level field of every object. ``field_names`` does not list it."""
_MISPLACED: Mapping[str, frozenset[str]] = {
    "V1KubeVirt": frozenset(Misplaced.__struct_encode_fields__) | {"configuration"},
    "V1KubeVirtSpec": frozenset(Misplaced.__struct_encode_fields__),
    "V1KubeVirtConfiguration": frozenset(Misplaced.__struct_encode_fields__),
}
"""Misplaced settings, which rules of family 6 report."""
_SETTINGS = frozenset(("V1MigrationConfiguration", "V1alpha1MigrationPolicySpec"))
_SHORTEST_MOVED = 4
"""
The minimum length of a name that is searched for in other places. Short names such as ``name`` and ``type`` are fields of many
types.
"""


def problems_in(kind: str, raw: Mapping[str, Json]) -> Problems:
    """
    The unknown fields, unknown values and invalid quantities of an object of KubeVirt's API. The result is empty for other
    kinds.
    """
    root = ROOTS.get(kind)
    if root is None or _is_plain(root, raw):
        return (), (), ()
    return search(kind, root, raw)


def search(kind: str, root: str, raw: Mapping[str, Json]) -> Problems:
    """Like ``problems_in``, for an object of type ``root``."""
    fields: list[UnknownField] = []
    values: list[UnknownValue] = []
    quantities: list[InvalidQuantity] = []
    waiting: list[tuple[FieldPath, str, Json]] = [((), root, raw)]
    while waiting:
        path, name, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(((*path, index), name, item) for index, item in reversed(list(enumerate(value))))
        elif isinstance(value, dict):
            if name.startswith(_MAP):
                waiting.extend(((*path, key), name[1:], entry) for key, entry in value.items())
                continue
            known, misplaced = FIELDS[name], _MISPLACED.get(name, frozenset())
            for key, inner in value.items():
                held = known.get(key)
                if held is None:
                    if key not in misplaced and not (name == root and key == _STATUS) and name not in _SETTINGS:
                        fields.append(_field(kind, path, name, key))
                elif held:
                    waiting.append(((*path, key), held, inner))
                elif (allowed := VALUES.get((name, key))) is not None:
                    values.extend(_values((*path, key), inner, allowed))
                elif (name, key) in QUANTITIES:
                    quantities.extend(_quantities({(*path, key): inner}))
                elif (name, key) in QUANTITY_MAPS and isinstance(inner, dict):
                    quantities.extend(_quantities({(*path, key, one): amount for one, amount in inner.items()}))
    return tuple(fields), tuple(values), tuple(quantities)


@cache
def _checks(name: str, *, is_root: bool = False) -> dict[str, _Check]:
    """
    The valid keys of a type, each with the check of its value: the name of its type, a marker for quantities, the set of valid
    values, or None for any value. ``_is_plain`` replaces a name with the checks of the type at its first use.
    """
    known = FIELDS[name]
    others = (*_MISPLACED.get(name, ()), *((_STATUS,) if is_root else ()))
    words = {key: frozenset(("", *allowed)) for (holder, key), allowed in VALUES.items() if holder == name}
    quantities = {key: _QUANTITY for key in known if (name, key) in QUANTITIES}
    maps = {key: _QUANTITY_MAP for key in known if (name, key) in QUANTITY_MAPS}
    types = {key: held or None for key, held in known.items()}
    return {**dict.fromkeys(others), **types, **words, **quantities, **maps}


def _is_plain(root: str, raw: Mapping[str, Json]) -> bool:
    """
    Whether an object has no problems. The check is fast because it does not track paths, and most objects have no problems.

    The result True is always correct. The result False can be a false alarm, so the caller then checks each path. No type
    contains itself, so the work is bounded.
    """
    waiting: list[tuple[dict[str, _Check], Any]] = [(_checks(root, is_root=True), raw)]
    for checks, value in waiting:
        for key, field in value.items():
            check = checks.get(key, _UNKNOWN)
            if check is None:
                continue
            kind = field.__class__
            if isinstance(check, dict):
                if kind is dict:
                    waiting.append((check, field))
                elif kind is list:
                    for one in field:
                        if one.__class__ is dict:
                            waiting.append((check, one))
                        elif one.__class__ is list:
                            return False
            elif isinstance(check, frozenset):
                if kind is str:
                    if field not in check:
                        return False
                elif kind in _NESTED and not all(word.__class__ is str and word in check for word in field):
                    return False
            elif check is _QUANTITY:
                if not accepts(field):
                    return False
            elif check is _QUANTITY_MAP:
                if kind is dict and not all(map(accepts, field.values())):
                    return False
            elif check is _UNKNOWN:
                return False
            elif check[0] != _MAP:
                checks[key] = _checks(check)
                waiting.append((checks, {key: field}))  # the same field again, with its checks
            elif kind is dict:  # a map, each of whose values has the type
                waiting.append((dict.fromkeys(field, check[1:]), field))
            elif kind is list:
                return False
    return True


def _field(kind: str, path: FieldPath, name: str, key: str) -> UnknownField:
    known = FIELDS[name]
    by_case = {field.lower(): field for field in known}
    meant = by_case.get(key.lower(), "") or by_case.get(f"{key.lower()}s", "")
    if not meant:
        elsewhere = _place_of(kind, key) if len(key) >= _SHORTEST_MOVED else ()
        if elsewhere:
            return UnknownField((*path, key), key, belongs=elsewhere)
        close = close_matches(key.lower(), by_case, cutoff=0.75)
        meant = by_case[close[0]] if close else ""
    return UnknownField((*path, key), key, meant)


def _place_of(kind: str, key: str) -> FieldPath:
    """
    The path of the field with this name that is nearest to the object's root.

    The result is empty if there is no such field, or if several are equally near.
    """
    places: list[FieldPath] = []
    waiting: list[tuple[FieldPath, str]] = [((), ROOTS[kind])]
    while waiting and not places:
        places = [(*place, key) for place, name in waiting if key in FIELDS[name]]
        waiting = [
            ((*place, field), held.lstrip(_MAP))
            for place, name in waiting
            for field, held in FIELDS[name].items()
            if held
        ]
    return places[0] if len(places) == 1 else ()


def _values(path: FieldPath, value: Json, allowed: tuple[str, ...]) -> Iterator[UnknownValue]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values((*path, index), item, allowed)
    elif isinstance(value, str) and value and value not in allowed and not value.startswith(_PLACEHOLDERS):
        yield UnknownValue(path, value, allowed, meant_word(value, allowed))


def meant_word(value: str, allowed: tuple[str, ...]) -> str:
    """The allowed word that is most similar to an unknown one, or an empty text. ``RWX`` means ReadWriteMany."""
    by_case = {word.lower(): word for word in allowed}
    near = [by_case[word] for word in close_matches(value.lower(), by_case)]
    return next((word for word in (_SHORT.get(value.upper()), *near) if word in allowed), "")


def _quantities(values: Mapping[FieldPath, Json]) -> Iterator[InvalidQuantity]:
    for path, value in values.items():
        if not accepts(value):
            yield InvalidQuantity(path, value)
