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
    """
    A value and its path in the judged object. For a value of an instancetype, the path is the path of the reference to the
    instancetype.
    """

    path: FieldPath
    value: V
    origin: str = ""
    """The other object that contains the value, such as ``instancetype 'gpu'`` (empty if the judged object contains it)."""


class ClaimFacts(msgspec.Struct, frozen=True):
    """The PVC of a volume, as virt-handler will see it."""

    volume: str
    claim: str
    path: FieldPath
    access_modes: Found[frozenset[str]]
    requested: Quantity | None = None
    """The requested size, or None if it is not known."""
    expected_from: str = ""
    """The source of predicted modes if the PVC does not exist yet, such as ``StorageProfile 'ceph'``."""
    is_new: bool = False
    """Whether the claim is assumed not to exist yet, because it was not provided and a ``dataVolumeTemplate`` creates it."""
    is_bare: bool = False
    """Whether the claim exists and names neither a StorageClass nor a PersistentVolume."""
    misspelt: tuple[str, ...] = ()
    """The right path of ``accessModes``, and the path of a misspelt or misplaced one, if the claim's manifest has no other."""


class TemplateFacts(msgspec.Struct, frozen=True):
    """An entry of ``dataVolumeTemplates``."""

    name: str
    path: FieldPath
    first: int | None
    """The index of an earlier entry with the same name, or None."""
    asked: Found[frozenset[str]] | None
    """The access modes of the PVC that CDI would create from the entry, or None if no volume uses that PVC."""
    in_force: Found[frozenset[str]] | None
    """The access modes of the PVC that the volume will use. The PVC might already exist."""
    expected_from: str = ""
    """The source of ``asked``, such as ``StorageProfile 'ceph'``."""


class Conflict(msgspec.Struct, frozen=True):
    """A field that the VM and its instancetype both set, and the releases that refuse such a VM."""

    path: FieldPath
    releases: int


class MigrationFacts(msgspec.Struct, frozen=True):
    """
    One VMI as KubeVirt would run it, after expansion, with defaults, and with the facts from other objects.

    ``releases`` is the set of KubeVirt releases for which this expansion holds (``webhook.kubevirt.releases``).
    """

    releases: int
    kind: str
    namespace: str
    name: str
    base: FieldPath
    """The path of the VMI spec in the judged object, such as ``spec`` or ``spec.template.spec``."""
    spec: VMISpec
    """The VMI spec as written. The results of expansion are in the fields below."""
    node_selector: Sourced[Mapping[str, str]] | None
    """The ``nodeSelector`` of the VM or of its instancetype, or None if neither sets the field."""
    annotations: Mapping[str, str]
    """Annotations of the VMI: the annotations of its template, and the annotations that instancetype and preference add."""
    outer_annotations: Mapping[str, str]
    """The ``metadata.annotations`` of a VirtualMachine, which KubeVirt does not copy to the VMI."""
    labels: Mapping[str, str]
    """Labels of the VMI, by which MigrationPolicies select VMIs."""
    configuration: Fact[Configuration]
    """``spec.configuration`` of the KubeVirt CR."""
    architecture: str
    architecture_assumed: bool
    interfaces: tuple[Interface, ...]
    networks: tuple[Network, ...]
    default_interface: Fact[str] | None
    """The binding of the interface that KubeVirt adds to a VMI without interfaces, or None if KubeVirt adds no interface."""
    pod_interface: Sourced[Interface] | None
    """The interface on the first network that has the field ``pod``."""
    pod_network: Sourced[Network] | None
    claims: tuple[ClaimFacts, ...]
    """The PVCs of volumes with a persistentVolumeClaim or dataVolume source, in order."""
    overlaid_claims: tuple[ClaimFacts, ...]
    """PVCs of ephemeral volumes. KubeVirt does not check their access modes."""
    templates: tuple[TemplateFacts, ...]
    """The entries of ``dataVolumeTemplates`` of a VirtualMachine, in order."""
    volumes_strategy: FieldPath | None
    """The path of ``updateVolumesStrategy: Migration``, with which KubeVirt moves a running VM to other claims."""
    is_receiver: bool
    """Whether the VM waits to receive a VM from another cluster or namespace (decentralized live migration)."""
    state_claim: ClaimFacts | None
    """The PVC for persistent TPM or EFI state, whose access modes only KubeVirt 1.3 checks."""
    migrated_volumes: frozenset[str]
    gpus: tuple[Sourced[GPU], ...]
    host_devices: tuple[Sourced[HostDevice], ...]
    launch_security: Sourced[LaunchSecurity] | None
    guest_memory: Fact[Sourced[Quantity] | None]
    """The guest memory as written, or None if neither the VM nor an instancetype sets the field."""
    cpu_model: Fact[str]
    written_cpu_model: Sourced[str] | None
    """The CPU model in the VM or its instancetype, or None if the default of KubeVirt or of the cluster applies."""
    cpu_features: tuple[CPUFeature, ...]
    isolated_emulator_thread: Sourced[bool] | None
    """Set for dedicated CPUs with an isolated emulator thread. Only KubeVirt 1.0 checks the isolated emulator thread."""
    reenlightenment: Sourced[bool] | None
    host_model_known: Fact[bool]
    """Whether the nodes report a host model, looked up only for CPU model host-model."""
    tsc_frequency: Fact[int]
    """
    The TSC frequency in Hz that virt-controller would write into ``status.topologyHints``; 0 or less if virt-controller would
    write no frequency.
    """
    hidden: Unknown | None
    """
    Set if the instancetype or preference is unknown. An unknown instancetype or preference can change annotations, bindings and
    features.
    """
    hidden_path: FieldPath
    hidden_architecture: Unknown | None
    """Set if an unknown preference can set the architecture."""
    assumptions: tuple[str, ...]
    """Assumptions about the instancetype, the preference and the patch release of KubeVirt."""
    conflicts: tuple[Conflict, ...]
    """In the order in which KubeVirt reports them."""
    crashing_preference: FieldPath | None = None
    """The path of a preference with CPU features that virt-api cannot add, because the VM has no ``domain.cpu``."""
    added_annotations: Mapping[str, FieldPath] = msgspec.field(default_factory=dict)
    """The annotations that the template does not have, each with the path of the instancetype or preference that adds it."""

    def at(self, *steps: str | int) -> FieldPath:
        """Returns the path of a field of the VMI's spec in the judged object."""
        return (*self.base, *steps)

    def at_annotation(self, key: str) -> FieldPath:
        """Returns the path of an annotation of the VMI, or of the instancetype or preference that adds it."""
        return self.added_annotations.get(key) or (*self.base[:-1], "metadata", "annotations", key)
