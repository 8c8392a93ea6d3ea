"""The facts about one VMI, from manifests or from a cluster."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Quantity
from webhook.objects.path import FieldPath
from webhook.objects.vmi import GPU, CPUFeature, HostDevice, Interface, LaunchSecurity, Network, VMISpec

V = TypeVar("V")


class Sourced(msgspec.Struct, Generic[V], frozen=True):
    """A value and its path in the judged object; for values of an instancetype, the path of the reference."""

    path: FieldPath
    value: V
    origin: str = ""
    """The other object that holds it, e.g. ``instancetype 'gpu'``; empty for the judged object itself."""


class ClaimFacts(msgspec.Struct, frozen=True):
    """The PVC of a volume, as virt-handler will see it."""

    volume: str
    claim: str
    path: FieldPath
    access_modes: Found[frozenset[str]]
    expected_from: str = ""
    """The source of predicted modes if the PVC does not exist yet, e.g. ``StorageProfile 'ceph'``."""


class TemplateFacts(msgspec.Struct, frozen=True):
    """An entry of ``dataVolumeTemplates``."""

    name: str
    path: FieldPath
    first: int | None
    """The index of an earlier entry with the same name, or None."""
    asked: Found[frozenset[str]] | None
    """The access modes of the PVC that CDI would create from it; None if no volume uses that PVC."""
    in_force: Found[frozenset[str]] | None
    """The access modes of the PVC that the volume will use. The PVC may exist already."""
    expected_from: str = ""
    """The source of ``asked``, e.g. ``StorageProfile 'ceph'``."""


class MigrationFacts(msgspec.Struct, frozen=True):
    """
    One VMI as KubeVirt would run it: expanded, with defaults, and with the facts from other objects.

    ``releases`` is the set of KubeVirt releases for which this expansion holds (``webhook.kubevirt.releases``).
    """

    releases: int
    kind: str
    namespace: str
    name: str
    base: FieldPath
    """The path of the VMI spec in the judged object: ``spec``, ``spec.template.spec``, …"""
    spec: VMISpec
    """As written. The results of expansion are in the fields below."""
    annotations: Mapping[str, str]
    """Annotations of the VMI: the annotations of its template, and the annotations that instancetype and preference add."""
    outer_annotations: Mapping[str, str]
    """``metadata.annotations`` of a VirtualMachine. KubeVirt does not copy them to the VMI."""
    labels: Mapping[str, str]
    """Labels of the VMI; MigrationPolicies select by them."""
    configuration: Fact[Configuration]
    """``spec.configuration`` of the KubeVirt CR."""
    architecture: str
    architecture_assumed: bool
    interfaces: tuple[Interface, ...]
    networks: tuple[Network, ...]
    default_interface: Fact[str] | None
    """The binding of the interface that KubeVirt adds to a VMI without interfaces; None if it adds none."""
    pod_interface: Sourced[Interface] | None
    """The interface on the first network with ``pod``."""
    pod_network: Sourced[Network] | None
    claims: tuple[ClaimFacts, ...]
    """Volumes with a persistentVolumeClaim or dataVolume source, in order."""
    overlaid_claims: tuple[ClaimFacts, ...]
    """PVCs of ephemeral volumes. KubeVirt does not check their access modes."""
    templates: tuple[TemplateFacts, ...]
    """``dataVolumeTemplates`` of a VirtualMachine, in order."""
    state_claim: ClaimFacts | None
    """The PVC for persistent TPM or EFI state. Only KubeVirt 1.3 checks its access modes."""
    migrated_volumes: frozenset[str]
    gpus: tuple[Sourced[GPU], ...]
    host_devices: tuple[Sourced[HostDevice], ...]
    launch_security: Sourced[LaunchSecurity] | None
    guest_memory: Fact[Sourced[Quantity] | None]
    """As written; None if neither the VM nor an instancetype sets it."""
    cpu_model: Fact[str]
    written_cpu_model: Sourced[str] | None
    """The model in the VM or its instancetype; None if KubeVirt's or the cluster's default applies."""
    cpu_features: tuple[CPUFeature, ...]
    isolated_emulator_thread: Sourced[bool] | None
    """Set for dedicated CPUs with an isolated emulator thread. Only KubeVirt 1.0 checks it."""
    reenlightenment: Sourced[bool] | None
    host_model_known: Fact[bool]
    """Whether the nodes report a host model; looked up only for CPU model host-model."""
    tsc_frequency: Fact[int]
    """
    The TSC frequency in Hz that virt-controller would write into ``status.topologyHints``; 0 or less if it would write none.
    """
    hidden: Unknown | None
    """Set if the instancetype or preference is unknown: it can change annotations, bindings and features."""
    hidden_path: FieldPath
    hidden_architecture: Unknown | None
    """Set if an unknown preference can set the architecture."""
    conflicts: tuple[FieldPath, ...]
    """Fields that the VM and its instancetype both set. KubeVirt refuses such a VM."""

    def at(self, *steps: str | int) -> FieldPath:
        """The path of a field of the VMI's spec in the judged object."""
        return (*self.base, *steps)
