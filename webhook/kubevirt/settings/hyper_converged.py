"""
The HyperConverged field from which HyperConverged's operator sets a field of the KubeVirt CR.

Sources: hyperconverged-cluster-operator v1.18.1 ``controllers/handlers/kubevirt.go`` (``NewKubeVirt``, ``getKVConfig``,
``hcLiveMigrationToKv``), ``api/v1beta1/hyperconverged_types.go``, ``api/v1/hyperconverged_types.go`` and
``api/v1beta1/conversion.go``. The operator serves version v1 from v1.18.0 on. This module does no I/O.
"""

from typing import Final

import msgspec

from webhook.kubevirt.settings.settings import (
    ALLOW_AUTO_CONVERGE,
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    NETWORK,
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
    PROGRESS_TIMEOUT,
)
from webhook.objects.path import FieldPath, dotted

JSON_PATCH: Final = "kubevirt.kubevirt.io/jsonpatch"
"""The annotation for settings that have no field (``docs/cluster-configuration.md``)."""
LIVE_MIGRATION: Final = (
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
    BANDWIDTH,
    COMPLETION_TIMEOUT,
    PROGRESS_TIMEOUT,
    NETWORK,
    ALLOW_AUTO_CONVERGE,
    ALLOW_POST_COPY,
    ALLOW_WORKLOAD_DISRUPTION,
)
"""The settings of ``liveMigrationConfig``. ``allowWorkloadDisruption`` exists from HyperConverged 1.19 on."""
_VIRTUALIZATION: Final = ("spec", "virtualization")


class Place(msgspec.Struct, frozen=True):
    """A field of a HyperConverged object, in both of its API versions."""

    v1beta1: FieldPath
    v1: FieldPath

    @property
    def where(self) -> str:
        """The field's path in warnings. The path is from version v1beta1, which every release serves."""
        return f"HyperConverged {dotted(self.v1beta1)}"

    @property
    def instruction(self) -> str:
        """The instruction to change the field, as the end of a sentence."""
        return f"set {dotted(self.v1beta1)} of the HyperConverged object (version v1: {dotted(self.v1)})"


_PLACES: Final[dict[FieldPath, tuple[FieldPath, FieldPath]]] = {
    **{
        ("spec", "configuration", "migrations", name): (
            ("spec", "liveMigrationConfig", name),
            (*_VIRTUALIZATION, "liveMigrationConfig", name),
        )
        for name in LIVE_MIGRATION
    },
    ("spec", "configuration", "evictionStrategy"): (
        ("spec", "evictionStrategy"),
        (*_VIRTUALIZATION, "evictionStrategy"),
    ),
    ("spec", "workloadUpdateStrategy"): (
        ("spec", "workloadUpdateStrategy"),
        (*_VIRTUALIZATION, "workloadUpdateStrategy"),
    ),
    ("spec", "configuration", "cpuModel"): (
        ("spec", "defaultCPUModel"),
        (*_VIRTUALIZATION, "virtualMachineOptions", "defaultCPUModel"),
    ),
    ("spec", "configuration", "obsoleteCPUModels"): (
        ("spec", "obsoleteCPUs", "cpuModels"),
        (*_VIRTUALIZATION, "obsoleteCPUModels"),
    ),
    ("spec", "configuration", "permittedHostDevices"): (
        ("spec", "permittedHostDevices"),
        (*_VIRTUALIZATION, "permittedHostDevices"),
    ),
    ("spec", "configuration", "mediatedDevicesConfiguration"): (
        ("spec", "mediatedDevicesConfiguration"),
        (*_VIRTUALIZATION, "mediatedDevicesConfiguration"),
    ),
    ("spec", "configuration", "liveUpdateConfiguration"): (
        ("spec", "liveUpdateConfiguration"),
        (*_VIRTUALIZATION, "liveUpdateConfiguration"),
    ),
    ("spec", "configuration", "commonInstancetypesDeployment"): (
        ("spec", "CommonInstancetypesDeployment"),
        ("spec", "workloadSources", "commonInstancetypesDeployment"),
    ),
    ("spec", "configuration", "network", "binding"): (
        ("spec", "networkBinding"),
        ("spec", "networking", "networkBinding"),
    ),
    ("spec", "configuration", "vmStateStorageClass"): (
        ("spec", "vmStateStorageClass"),
        ("spec", "storage", "vmStateStorageClass"),
    ),
}
"""Maps each field of the KubeVirt CR to the HyperConverged fields (v1beta1, v1) that set the field and its subfields."""
_OWN_ENTRIES: Final = frozenset({"obsoleteCPUModels", "permittedHostDevices", "mediatedDevicesConfiguration"})
"""Fields whose entries have other names in HyperConverged. For these, messages name only the field."""


def hyper_converged_place(path: FieldPath) -> Place | None:
    """
    The HyperConverged field for ``path`` of the KubeVirt CR, or None if only HyperConverged's JSON patch annotation can set it.

    HyperConverged has no field for ``featureGates``. HyperConverged has other gates, and its operator writes KubeVirt's list.
    """
    for length in range(len(path), 1, -1):
        fields = _PLACES.get(path[:length])
        if fields is not None:
            rest = () if path[length - 1] in _OWN_ENTRIES else path[length:]
            return Place((*fields[0], *rest), (*fields[1], *rest))
    return None


def in_hyper_converged(path: FieldPath) -> str:
    """The instruction to change ``path`` of the KubeVirt CR, as the end of a sentence."""
    place = hyper_converged_place(path)
    return place.instruction if place is not None else f"use annotation {JSON_PATCH} of the HyperConverged object"


def where_in_hyper_converged(path: FieldPath) -> str:
    """The HyperConverged field that a warning names instead of ``path`` of the KubeVirt CR."""
    place = hyper_converged_place(path)
    return place.where if place is not None else f"HyperConverged annotation {JSON_PATCH} ({dotted(path)})"
