"""
The launcher pod of a VMI, as virt-controller sends it to the API server.

Source: ``renderLaunchManifest`` of ``pkg/virt-controller/services/template.go``, v1.3.1 to v1.9.0. This module does no I/O.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.containers import containers, init_containers
from webhook.kubevirt.launcher.networks import network_resources, plugin_sidecars
from webhook.kubevirt.launcher.node_selector import node_selector
from webhook.kubevirt.launcher.overhead import memory_overhead
from webhook.kubevirt.launcher.placement import CREATED_BY, Affinity, affinity, reservation_labels
from webhook.kubevirt.launcher.quantities import all_written, whole
from webhook.kubevirt.launcher.quota_limits import limited_resources
from webhook.kubevirt.launcher.resources import compute_resources
from webhook.kubevirt.launcher.surroundings import NoPod, Surroundings, gate_is_on
from webhook.kubevirt.launcher.volumes import (
    claim_volumes,
    hook_sidecars,
    hook_volumes,
    missing_claim,
    state_claim,
    state_volume,
)
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import Json, ObjectMeta
from webhook.objects.pods import Container, Pod, PodPlacement, PodSpec, PodVolume, ResourceNeeds, SpreadConstraint
from webhook.objects.scheduling import Toleration

_LONGEST_LABEL: Final = 63
_HASH: Final = 8


class Rendered(msgspec.Struct, frozen=True):
    """
    A pod before the API server receives it. The fields that the VMI defines are JSON, so they contain the parts that ``Pod``
    leaves out.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    node_selector: Mapping[str, str]
    affinity: Affinity
    tolerations: list[Json] | None
    spread_constraints: list[Json] | None
    scheduler_name: str
    priority_class_name: str
    runtime_class_name: str
    resource_claims: list[Json] | None
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...]
    volumes: tuple[PodVolume, ...]
    memory_overhead: int
    """The memory beside the guest's, in bytes."""
    has_new_claim: bool = False
    """Whether the pod also mounts a claim that KubeVirt creates for it. ``volumes`` does not contain that claim."""

    def pod(self) -> Pod:
        """The pod for the scheduler and quotas. The overhead of a runtime class is not in it."""
        return Pod(
            "v1",
            "Pod",
            ObjectMeta(generate_name=self.name, namespace=self.namespace, labels=dict(self.labels)),
            PodSpec(
                node_selector=dict(self.node_selector),
                affinity=msgspec.convert(self.affinity, PodPlacement),
                tolerations=msgspec.convert(self.tolerations, list[Toleration] | None),
                topology_spread_constraints=msgspec.convert(self.spread_constraints, list[SpreadConstraint] | None),
                scheduler_name=self.scheduler_name,
                priority_class_name=self.priority_class_name,
                runtime_class_name=self.runtime_class_name or None,
                containers=list(self.containers),
                init_containers=list(self.init_containers),
                volumes=list(self.volumes),
                resource_claims=self.resource_claims,
            ),
        )


def restart_pod(vmi: LauncherVMI, around: Surroundings) -> Rendered | NoPod | Unknown:
    """
    The pod of the VMI that replaces a running VMI after a restart. The new VMI has the spec of the running VMI, and its machine
    type has no version yet.
    """
    return launcher_pod(replace(vmi, status=replace(vmi.status, machine=None)), around)


def launcher_pod(vmi: LauncherVMI, around: Surroundings, *, is_target: bool = False) -> Rendered | NoPod | Unknown:
    """
    The pod for a VMI as it is stored. ``is_target`` is whether the pod is for the target of a migration, whose other parts
    ``target_pod`` adds: the digests of the images of container disks are known.
    """
    parts = _parts(vmi, around)
    if isinstance(parts, NoPod | Unknown):
        return parts
    hooks, plugins, limited, networks, reservations = parts
    overhead = memory_overhead(vmi, around)
    compute = compute_resources(vmi, around, overhead, limited, networks)
    needs = ResourceNeeds(all_written(compute.all_requests()), all_written(compute.all_limits()))
    spec, state = vmi.spec, state_claim(vmi, around.version, around.claims)
    needs_new = is_target and state is not None and state.is_replaced(around.version)
    return Rendered(
        vmi.namespace,
        f"virt-launcher-{vmi.name}-",
        _labels(vmi, around) | dict.fromkeys(reservations, ""),
        node_selector(vmi, around),
        affinity(vmi, around, reservations),
        spec.tolerations,
        spec.topology_spread_constraints,
        spec.scheduler_name,
        spec.priority_class_name,
        around.configuration.default_runtime_class,
        spec.resource_claims,
        (Container("compute", needs), *containers(vmi, around, len(hooks) + plugins)),
        tuple(init_containers(vmi, around, digests_known=is_target)),
        (*claim_volumes(vmi), *(() if state is None or needs_new else (state_volume(state),)), *hook_volumes(hooks)),
        whole(overhead),
        needs_new,
    )


_Parts = tuple[list[Json], int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _parts(vmi: LauncherVMI, around: Surroundings) -> _Parts | NoPod | Unknown:
    """The parts that can fail or be unknown, in virt-controller's order of errors."""
    networks = network_resources(vmi, around)
    if isinstance(networks, NoPod | Unknown):
        return networks
    refused = " ".join(_not_permitted(vmi, around))
    if refused:
        return NoPod(f"failed to render launch manifest: {refused}")
    hooks = hook_sidecars(vmi)
    if isinstance(hooks, NoPod):
        return hooks
    plugins = plugin_sidecars(vmi, around)
    if isinstance(plugins, NoPod):
        return plugins
    missing = missing_claim(vmi, around)
    if missing is not None:
        return missing
    limited, reservations = limited_resources(vmi, around), reservation_labels(vmi, around)
    if isinstance(limited, Unknown):
        return limited
    if isinstance(reservations, Unknown):
        return reservations
    return hooks, plugins, limited, networks, reservations


def _not_permitted(vmi: LauncherVMI, around: Surroundings) -> Iterator[str]:
    """The devices that the KubeVirt CR does not list, if it lists any (``validatePermittedHostDevices``)."""
    permitted = around.configuration.permitted_host_devices
    if permitted is None:
        return
    names, devices = permitted.names, vmi.spec.domain.devices
    with_claims = around.version[:2] >= (1, 9)
    for word, gate, group in (
        ("GPU", "GPUsWithDRA", devices.gpus),
        ("HostDevice", "HostDevicesWithDRA", devices.host_devices),
    ):
        is_on = gate_is_on(around, gate)
        if is_on and not with_claims and word == "GPU":
            continue  # 1.6 to 1.8 check no GPU with the gate
        for device in group or ():
            if device.device_name not in names and not (is_on and with_claims and device.has_claim):
                yield f"{word} {device.device_name} is not permitted in permittedHostDevices configuration"


def _labels(vmi: LauncherVMI, around: Surroundings) -> dict[str, str]:
    """The labels of the pod (``podLabels``)."""
    labels = dict(vmi.meta.labels or {})
    labels["kubevirt.io"] = "virt-launcher"
    labels[CREATED_BY] = vmi.meta.uid or ""
    labels["vm.kubevirt.io/name"] = vmi.spec.hostname or vmi.name.split(".")[0][:_LONGEST_LABEL]
    if around.version[:2] >= (1, 7):
        labels["vmi.kubevirt.io/id"] = _identity(vmi.name)
        injected = (vmi.meta.annotations or {}).get("sidecar.istio.io/inject")
        if injected is not None:
            labels["sidecar.istio.io/inject"] = injected
    return labels


def _identity(name: str) -> str:
    """The name of the VMI, cut to a label and with a hash if it is too long (``CalculateVirtualMachineInstanceID``)."""
    if len(name) <= _LONGEST_LABEL:
        return name
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: _LONGEST_LABEL - _HASH - 1]}-{digest[:_HASH]}"
