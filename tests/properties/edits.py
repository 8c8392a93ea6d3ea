"""Edits of VMs by tenants, by attackers and by operators."""

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.generating import Manifest
from tests.generating.accepting import spec_of
from tests.generating.words import BRIDGE_OVERRIDE, CLAIMS, EVICTION_STRATEGIES

Edit: TypeAlias = Callable[[Manifest], None]
"""Changes a manifest in place; one that does not apply changes nothing."""


def edited(manifest: Manifest, *edits: Edit) -> Manifest:
    """A changed copy."""
    made = copy.deepcopy(manifest)
    for edit in edits:
        edit(made)
    return made


def _named(holder: Manifest, key: str, entry: Manifest) -> None:
    """Puts an entry into a list, in the place of the one of its name."""
    holder[key] = [other for other in holder.get(key, ()) if other.get("name") != entry["name"]] + [entry]


def add_volume(name: str, claim: str) -> Edit:
    """A volume on a claim; the claim of a volume that is there is swapped."""
    entry = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    return lambda made: _named(spec_of(made), "volumes", copy.deepcopy(entry))


def add_device(key: str, name: str) -> Edit:
    """A GPU or host device."""
    return lambda made: _named(spec_of(made)["domain"]["devices"], key, {"name": name, "deviceName": "vendor.com/x"})


def add_filesystem(name: str) -> Edit:
    """A filesystem of a claim."""

    def edit(made: Manifest) -> None:
        _named(spec_of(made)["domain"]["devices"], "filesystems", {"name": name, "virtiofs": {}})
        add_volume(name, "shared")(made)

    return edit


def bind(binding: str) -> Edit:
    """The first interface is bound so."""

    def edit(made: Manifest) -> None:
        interfaces = spec_of(made)["domain"]["devices"].get("interfaces", ())
        if interfaces:
            interfaces[0].clear()
            interfaces[0] |= {"name": "default", binding: {}}

    return edit


def evict(strategy: str | None) -> Edit:
    """``evictionStrategy``, or none."""

    def edit(made: Manifest) -> None:
        spec_of(made).pop("evictionStrategy", None)
        if strategy is not None:
            spec_of(made)["evictionStrategy"] = strategy

    return edit


def drop(where: str, index: int) -> Edit:
    """Takes an entry out of a list."""

    def edit(made: Manifest) -> None:
        entries = _list(made, where)
        if entries:
            entries.pop(index % len(entries))

    return edit


def rename(where: str, index: int, name: str) -> Edit:
    """Gives an entry of a list another name."""

    def edit(made: Manifest) -> None:
        entries = _list(made, where)
        if entries and name not in [item["name"] for item in entries]:
            entries[index % len(entries)]["name"] = name

    return edit


def _list(made: Manifest, where: str) -> list[Any]:
    spec = spec_of(made)
    entries = (spec if where in ("volumes", "networks") else spec["domain"]["devices"]).get(where)
    return entries if isinstance(entries, list) else []


def set_cpu(model: str | None) -> Edit:
    """The CPU model."""

    def edit(made: Manifest) -> None:
        spec_of(made)["domain"].pop("cpu", None)
        if model is not None:
            spec_of(made)["domain"]["cpu"] = {"model": model}

    return edit


def instancetype(name: str | None) -> Edit:
    """``spec.instancetype`` of a VM."""

    def edit(made: Manifest) -> None:
        if made["kind"] == "VirtualMachine":
            made["spec"].pop("instancetype", None)
            if name is not None:
                made["spec"]["instancetype"] = {"name": name, "kind": "VirtualMachineInstancetype"}

    return edit


def start(**fields: Any) -> Edit:
    """``runStrategy`` or ``running`` of a VM, of its own or in a pool's template."""

    def edit(made: Manifest) -> None:
        spec = made["spec"]
        if made["kind"] == "VirtualMachinePool":
            spec = spec["virtualMachineTemplate"]["spec"]
        elif made["kind"] != "VirtualMachine":
            return
        for field in ("runStrategy", "running"):
            spec.pop(field, None)
        spec |= fields

    return edit


def scale(replicas: int) -> Edit:
    """How many machines a set or a pool has."""

    def edit(made: Manifest) -> None:
        if made["kind"] in ("VirtualMachineInstanceReplicaSet", "VirtualMachinePool"):
            made["spec"]["replicas"] = replicas

    return edit


def tell(**annotations: str) -> Edit:
    """Annotations and labels of the object itself."""

    def edit(made: Manifest) -> None:
        for key in ("annotations", "labels"):
            before = made["metadata"].get(key)
            made["metadata"][key] = (before if isinstance(before, dict) else {}) | annotations

    return edit


LISTS = st.sampled_from(("volumes", "interfaces", "networks", "gpus", "hostDevices", "filesystems", "disks"))
INDICES = st.integers(0, 3)
STARTS = st.one_of(
    st.builds(scale, st.integers(0, 5)),
    st.builds(start, runStrategy=st.sampled_from(("Always", "Halted", "Manual", "RerunOnFailure", "Once"))),
    st.builds(start, running=st.booleans()),
)
METADATA = st.builds(
    lambda key, value: tell(**{key: value}),
    st.sampled_from(("note", "app", "tier", "kubevirt.io/x", BRIDGE_OVERRIDE)),
    st.sampled_from(("web", "db", "true", "")),
)
SHRINKING = st.builds(drop, st.sampled_from(("volumes", "gpus", "hostDevices", "filesystems", "disks")), INDICES)
"""The removable parts. If a VM lists no network, KubeVirt fills one in."""
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(add_volume, st.sampled_from(("os", "data", "new")), st.sampled_from((*CLAIMS, "missing"))),
    st.builds(add_device, st.sampled_from(("gpus", "hostDevices")), st.sampled_from(("a", "b"))),
    st.builds(add_filesystem, st.sampled_from(("os", "fs"))),
    st.builds(bind, st.sampled_from(("bridge", "masquerade", "sriov", "passt"))),
    st.builds(evict, st.one_of(st.none(), EVICTION_STRATEGIES)),
    st.builds(rename, LISTS, INDICES, st.sampled_from(("x", "y"))),
    st.builds(set_cpu, st.sampled_from((None, "host-model", "host-passthrough"))),
    st.builds(instancetype, st.sampled_from((None, "u1.medium", "gpu.large", "missing"))),
    st.builds(drop, LISTS, INDICES),
    STARTS,
    METADATA,
)
"""One edit by an account that may edit the VM."""
