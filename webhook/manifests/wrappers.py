"""
Finds the objects and VM templates inside other objects, such as the ``objects`` of an OpenShift Template. This module does no
I/O.

An object that contains a VM and is not in these tables gets a note (``unread_vms``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from webhook.manifests.parameters import NO_PARAMETERS, Parameters, parameters_of
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted

_EACH: Final = "*"
_VM: Final = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine"}
_TEMPLATE: Final = "template.openshift.io"
_POLICIES: Final = "policy.open-cluster-management.io"
_VM_TEMPLATE: Final = "template.kubevirt.io"

OBJECTS: Final[Mapping[str, Mapping[str, FieldPath]]] = {
    # openshift/api template/v1/types.go; OpenShift 3 also had apiVersion v1
    "Template": {_TEMPLATE: ("objects", _EACH), "": ("objects", _EACH)},
    # open-cluster-management-io/api work/v1/types.go and work/v1alpha1/types_manifestworkreplicaset.go
    "ManifestWork": {"work.open-cluster-management.io": ("spec", "workload", "manifests", _EACH)},
    "ManifestWorkReplicaSet": {
        "work.open-cluster-management.io": ("spec", "manifestWorkTemplate", "workload", "manifests", _EACH)
    },
    # open-cluster-management-io/config-policy-controller api/v1/configurationpolicy_types.go
    "ConfigurationPolicy": {_POLICIES: ("spec", "object-templates", _EACH, "objectDefinition")},
    # open-cluster-management-io/governance-policy-propagator api/v1/policy_types.go
    "Policy": {_POLICIES: ("spec", "policy-templates", _EACH, "objectDefinition")},
    # karmada-io/api work/v1alpha1/work_types.go
    "Work": {"work.karmada.io": ("spec", "workload", "manifests", _EACH)},
    # openshift/hive apis/hive/v1/syncset_types.go
    "SyncSet": {"hive.openshift.io": ("spec", "resources", _EACH)},
    "SelectorSyncSet": {"hive.openshift.io": ("spec", "resources", _EACH)},
    # crossplane-contrib/provider-kubernetes apis/object/v1alpha2/types.go
    "Object": {"kubernetes.crossplane.io": ("spec", "forProvider", "manifest")},
}
"""The places of complete objects, by kind and API group of the object around them."""
VMS: Final[Mapping[str, Mapping[str, FieldPath]]] = {
    # kubernetes-sigs/cluster-api-provider-kubevirt api/v1alpha1/kubevirtmachine_types.go
    "KubevirtMachine": {"infrastructure.cluster.x-k8s.io": ("spec", "virtualMachineTemplate")},
    "KubevirtMachineTemplate": {
        "infrastructure.cluster.x-k8s.io": ("spec", "template", "spec", "virtualMachineTemplate")
    },
    # harvester/harvester pkg/apis/harvesterhci.io/v1beta1/template.go
    "VirtualMachineTemplateVersion": {"harvesterhci.io": ("spec", "vm")},
    # kubevirt/virt-template api/core/v1alpha1/virtualmachinetemplate_types.go
    "VirtualMachineTemplate": {_VM_TEMPLATE: ("spec", "virtualMachine")},
}
"""The places of VMs without ``apiVersion`` and ``kind``, by kind and API group of the object around them."""
_WITH_PARAMETERS: Final = frozenset((_TEMPLATE, "", _VM_TEMPLATE))
_WITH_TEMPLATES: Final = frozenset((_POLICIES,))


class Wrapped(msgspec.Struct, frozen=True):
    """An object or VM inside another object."""

    value: Json
    at: FieldPath
    """The path in the document."""
    parameters: Parameters = NO_PARAMETERS
    owner: tuple[str, str, str, str] | None = None
    """
    The apiVersion, kind, namespace and name of the object around a VM without apiVersion and kind. Reports show this object.
    """


def is_wrapper(api_version: str, kind: str) -> bool:
    """Whether objects of this kind contain other objects, or a VM, at a known place."""
    return _place(api_version, kind) is not None


def wrapped_in(value: Mapping[str, Json], at: FieldPath, outer: Parameters) -> Iterator[Wrapped]:
    """Yields the objects in a wrapper at ``at``. ``outer`` are the parameters of the wrappers around it."""
    api_version, kind = value["apiVersion"], value["kind"]
    group = api_version.rpartition("/")[0]
    place = _place(api_version, kind)
    assert place is not None  # noqa: S101 - the caller has checked it
    parameters = outer
    if group in _WITH_PARAMETERS:
        parameters = parameters_of(value.get("parameters") if kind == "Template" else _spec(value).get("parameters"))
    elif group in _WITH_TEMPLATES:
        parameters = Parameters({}, is_templated=True)
    for path, inner in _at(value, place, ()):
        if kind in VMS and isinstance(inner, dict):
            yield Wrapped({**_VM, **inner}, (*at, *path), parameters, _owner(value, api_version, kind))
        elif (
            kind not in VMS and not _must_not_exist(value, path) and not (group in _WITH_TEMPLATES and _is_part(inner))
        ):
            yield Wrapped(inner, (*at, *path), parameters)


def _place(api_version: str, kind: str) -> FieldPath | None:
    places = OBJECTS.get(kind) or VMS.get(kind)
    return places.get(api_version.rpartition("/")[0]) if places else None


def _spec(value: Mapping[str, Json]) -> Mapping[str, Json]:
    spec = value.get("spec")
    return spec if isinstance(spec, dict) else {}


def _owner(value: Mapping[str, Json], api_version: str, kind: str) -> tuple[str, str, str, str]:
    metadata = value.get("metadata")
    written = metadata if isinstance(metadata, dict) else {}
    namespace, name = (text if isinstance(text := written.get(key), str) else "" for key in ("namespace", "name"))
    return api_version, kind, namespace, name


def _at(value: Json, place: FieldPath, path: FieldPath) -> Iterator[tuple[FieldPath, Json]]:
    if not place:
        yield path, value
    elif place[0] == _EACH:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from _at(item, place[1:], (*path, index))
    elif isinstance(value, dict) and place[0] in value:
        yield from _at(value[place[0]], place[1:], (*path, place[0]))


def _must_not_exist(value: Mapping[str, Json], path: FieldPath) -> bool:
    """Whether a ConfigurationPolicy deletes the object, or only describes a part of it that must be absent."""
    inner: Json = value
    for step in path[:-1]:
        inner = inner[step]
    return isinstance(inner, dict) and str(inner.get("complianceType", "")).lower() == "mustnothave"


def _is_part(inner: Json) -> bool:
    """Whether a policy names only some fields of a VM, so that the VM cannot be judged."""
    return isinstance(inner, dict) and inner.get("kind") == _VM["kind"] and not _spec(inner).get("template")


_VM_KINDS: Final = "VirtualMachine|VirtualMachineInstance|VirtualMachineInstanceReplicaSet|VirtualMachinePool"
_GROUPS: Final = re.compile(r"(?:pool\.)?kubevirt\.io/")
_KIND: Final = re.compile(rf"(?:{_VM_KINDS})\Z")
_TEXT_KIND: Final = re.compile(
    rf"""(?:^|[\s{{,"'])["']?kind["']?\s*:\s*["']?({_VM_KINDS})["']?\s*(?:$|[,}}#])""", re.MULTILINE
)
_TEXT_GROUP: Final = re.compile(r"""apiVersion["']?\s*:\s*["']?(?:pool\.)?kubevirt\.io/""")
_PATCHES: Final = frozenset(("kustomize.config.k8s.io", "kustomize.toolkit.fluxcd.io"))
"""Groups of objects with patches, which are only parts of objects."""


def unread_vms(api_version: str, value: Json) -> Iterator[tuple[FieldPath, str]]:
    """Yields the path and kind of each VM inside an object of a kind that is not read, also in strings such as manifests."""
    if api_version.rpartition("/")[0] in _PATCHES:
        return
    waiting: list[tuple[FieldPath, Json]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, dict):
            kind, group = inner.get("kind"), inner.get("apiVersion")
            if path and isinstance(kind, str) and isinstance(group, str) and _KIND.match(kind) and _GROUPS.match(group):
                if "spec" in inner or "name" not in inner:  # otherwise a reference, such as in ownerReferences
                    yield path, kind
                continue
            waiting += [((*path, key), member) for key, member in reversed(inner.items()) if _can_hold_vm(member)]
        elif isinstance(inner, list):
            waiting += [((*path, at), item) for at, item in reversed(list(enumerate(inner))) if _can_hold_vm(item)]
        elif isinstance(inner, str):
            found = _TEXT_KIND.search(inner)
            if found is not None and _TEXT_GROUP.search(inner):
                yield path, found[1]


def _can_hold_vm(value: Json) -> bool:
    """Whether a search is useful. No path is made for other values, which are most of an object."""
    return "kubevirt.io/" in value if isinstance(value, str) else isinstance(value, dict | list)


def unread_note(place: str, kind: str, name: str, vms: Sequence[tuple[FieldPath, str]]) -> str:
    """A note about VMs in an object that is not read."""
    path, inner = vms[0]
    more = f" and {len(vms) - 1} more" if len(vms) > 1 else ""
    return (
        f"{place}: {kind} {name!a} contains a {inner} (at {dotted(path)}){more} that is not checked. "
        "To check it, write it to a file of its own"
    )


def patched_copy_note(place: str, kind: str, name: str, value: Mapping[str, Json]) -> str:
    """A note about a VirtualMachineClone or VirtualMachineRestore with patches, or an empty text."""
    patches = _spec(value).get("patches")
    if not isinstance(patches, list) or not patches:
        return ""
    return not_checked_note(place, kind, name)


def not_checked_note(place: str, kind: str, name: str) -> str:
    """A note about patches that cannot be judged."""
    return (
        f"{place}: {kind} {name!a} patches a VM. The patched VM is not checked. "
        "Admission judges the VM when KubeVirt creates it"
    )
