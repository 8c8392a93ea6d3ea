"""What is known about one VMI, wherever it was found."""

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
    """A value with the place in the judged object that brought it, which may be the reference to an instancetype."""

    path: FieldPath
    value: V
    origin: str = ""
    """How to name the other object that holds it, e.g. ``instancetype 'gpu'``; empty for the judged object itself."""


class ClaimFacts(msgspec.Struct, frozen=True):
    """A claim behind a volume, as virt-handler will see it."""

    volume: str
    claim: str
    path: FieldPath
    access_modes: Found[frozenset[str]]
    expected_from: str = ""
    """What the modes were predicted from where the claim itself does not exist yet, e.g. ``StorageProfile 'ceph'``."""


class TemplateFacts(msgspec.Struct, frozen=True):
    """An entry of ``dataVolumeTemplates``."""

    name: str
    path: FieldPath
    first: int | None
    """The index of an earlier entry with the same name; None where there is none."""
    asked: Found[frozenset[str]] | None
    """The access modes of the claim that would be made from it; None where no volume is on that claim."""
    in_force: Found[frozenset[str]] | None
    """The access modes of the claim behind the volume, which may exist already."""
    expected_from: str = ""
    """What ``asked`` was taken from, e.g. ``StorageProfile 'ceph'``."""


class MigrationFacts(msgspec.Struct, frozen=True):
    """
    One VMI as KubeVirt would run it: expanded, defaulted, with what other objects say about it.

    ``releases`` is the set of KubeVirt releases for which this expansion holds (``webhook.kubevirt.releases``).
    """

    releases: int
    kind: str
    namespace: str
    name: str
    base: FieldPath
    """Where ``VMISpec`` stands in the judged object: ``spec``, ``spec.template.spec``, …"""
    spec: VMISpec
    """As written; what expansion changed has fields of its own below."""
    annotations: Mapping[str, str]
    """Of the VMI: of its template, plus what instancetype and preference bring."""
    outer_annotations: Mapping[str, str]
    """``metadata.annotations`` of a VirtualMachine: KubeVirt does not carry them over to the VMI."""
    labels: Mapping[str, str]
    """Of the VMI; MigrationPolicies look at these."""
    configuration: Fact[Configuration]
    """``spec.configuration`` of the KubeVirt CR."""
    architecture: str
    architecture_assumed: bool
    interfaces: tuple[Interface, ...]
    networks: tuple[Network, ...]
    default_interface: Fact[str] | None
    """The binding of the interface that KubeVirt adds to a VMI without any; None where it adds none."""
    pod_interface: Sourced[Interface] | None
    """The interface on the first network that has ``pod`` set."""
    pod_network: Sourced[Network] | None
    claims: tuple[ClaimFacts, ...]
    """Volumes with a persistentVolumeClaim or dataVolume source, in order."""
    overlaid_claims: tuple[ClaimFacts, ...]
    """Claims under ephemeral volumes; KubeVirt never looks at their modes."""
    templates: tuple[TemplateFacts, ...]
    """``dataVolumeTemplates`` of a VirtualMachine, in order."""
    state_claim: ClaimFacts | None
    """The claim that keeps persistent TPM or EFI state; its modes matter in 1.3 only."""
    migrated_volumes: frozenset[str]
    gpus: tuple[Sourced[GPU], ...]
    host_devices: tuple[Sourced[HostDevice], ...]
    launch_security: Sourced[LaunchSecurity] | None
    guest_memory: Fact[Sourced[Quantity] | None]
    """As written; None where neither the VM nor an instancetype says."""
    cpu_model: Fact[str]
    written_cpu_model: Sourced[str] | None
    """Where the VM or its instancetype writes the model; None where it is KubeVirt's or the cluster's default."""
    cpu_features: tuple[CPUFeature, ...]
    isolated_emulator_thread: Sourced[bool] | None
    """Set where CPUs are dedicated and the emulator thread has one of its own; it matters in 1.0 only."""
    reenlightenment: Sourced[bool] | None
    host_model_known: Fact[bool]
    """Whether the nodes report a host model to libvirt; looked up only where the CPU model is host-model."""
    tsc_frequency: Fact[int]
    """Hz, as virt-controller would write it into ``status.topologyHints``; 0 or less where it would not."""
    hidden: Unknown | None
    """Set where the instancetype or preference is not known: it might still change annotations, bindings, features."""
    hidden_path: FieldPath
    hidden_architecture: Unknown | None
    """Set where a preference that is not known might still name the architecture."""
    conflicts: tuple[FieldPath, ...]
    """Fields that both the VM and its instancetype set; KubeVirt refuses such a VM."""

    def at(self, *steps: str | int) -> FieldPath:
        """The path of a field of the VMI's spec in the judged object."""
        return (*self.base, *steps)
