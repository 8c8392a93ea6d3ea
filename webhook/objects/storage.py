"""PersistentVolumeClaims, StorageClasses, and the CDI objects that create claims."""

import msgspec

from webhook.objects.meta import Empty, Kubernetes, ObjectMeta, Quantity, Read
from webhook.objects.scheduling import NodeTerms


class ClaimResources(Read, frozen=True):
    """``resources`` of a claim."""

    requests: dict[str, Quantity] | None = None


class ClaimSpec(Read, frozen=True):
    """The fields that ``PersistentVolumeClaim.spec`` shares with ``spec.pvc`` and ``spec.storage`` of a DataVolume."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None
    storage_class_name: str | None = None
    volume_name: str | None = None
    """The PersistentVolume of the claim. The store of a cluster leaves out this field and the next one."""
    resources: ClaimResources | None = None


class MisspeltClaimSpec(ClaimSpec, frozen=True):
    """The spec of a claim without ``accessModes`` in a manifest that has a field of a similar name, or the field elsewhere."""

    misspelt: tuple[str, ...] = ()
    """The right path of ``accessModes``, and the path of that field in the manifest."""


class PersistentVolumeClaim(Kubernetes, frozen=True):
    """
    A claim. The verdict depends on ``spec.accessModes``, because virt-controller copies this field and not
    ``status.accessModes``.
    """

    spec: ClaimSpec = msgspec.field(default_factory=ClaimSpec)


class DataSourceRef(Read, frozen=True):
    """The ``sourceRef`` field of a DataVolume."""

    kind: str = ""
    namespace: str | None = None
    name: str = ""


class SourceName(Read, frozen=True):
    """
    The fields ``source.pvc`` and ``source.snapshot`` of a DataVolume or DataSource, and ``source.dataSource`` of a DataSource.
    """

    namespace: str | None = None
    name: str = ""


class VolumeOrigin(Read, frozen=True):
    """The fields of ``source`` of a DataVolume or DataSource from which instancetypes are inferred."""

    pvc: SourceName | None = None
    snapshot: SourceName | None = None
    data_source: SourceName | None = None


class DataVolumeSpec(Read, frozen=True):
    """
    The ``spec`` of a DataVolume, with ``pvc`` (access modes as written) or ``storage`` (access modes can come from a
    StorageProfile).
    """

    pvc: ClaimSpec | None = None
    storage: ClaimSpec | None = None
    source: VolumeOrigin | None = None
    source_ref: DataSourceRef | None = None
    content_type: str | None = None


class DataVolume(Kubernetes, frozen=True):
    """cdi.kubevirt.io DataVolume."""

    spec: DataVolumeSpec = msgspec.field(default_factory=DataVolumeSpec)


class DataVolumeTemplate(Read, frozen=True):
    """An entry of ``dataVolumeTemplates`` of a VirtualMachine."""

    metadata: ObjectMeta | None = None
    spec: DataVolumeSpec | None = None


class DataSourceSpec(Read, frozen=True):
    """``DataSource.spec``."""

    source: VolumeOrigin | None = None


class DataSource(Kubernetes, frozen=True):
    """cdi.kubevirt.io DataSource."""

    spec: DataSourceSpec = msgspec.field(default_factory=DataSourceSpec)


class ClaimPropertySet(Read, frozen=True):
    """An entry of ``claimPropertySets``."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None


class StorageProfileSpec(Read, frozen=True):
    """The ``spec`` of a StorageProfile, which contains the values that an administrator requests."""

    claim_property_sets: list[ClaimPropertySet] | None = None


class StorageProfileStatus(Read, frozen=True):
    """The ``status`` of a StorageProfile, which contains the values in force."""

    claim_property_sets: list[ClaimPropertySet] | None = None
    provisioner: str | None = None
    storage_class: str | None = None


class StorageProfile(Kubernetes, frozen=True):
    """A StorageProfile (cdi.kubevirt.io), which is cluster-scoped and has the name of its StorageClass."""

    spec: StorageProfileSpec | None = None
    status: StorageProfileStatus | None = None

    @property
    def property_sets(self) -> tuple[ClaimPropertySet, ...]:
        """
        The property sets in force, best first. The property sets come from ``status``, or from ``spec`` if CDI has not written
        ``status``.
        """
        if self.status is not None and self.status.claim_property_sets is not None:
            return tuple(self.status.claim_property_sets)
        if self.spec is not None and self.spec.claim_property_sets is not None:
            return tuple(self.spec.claim_property_sets)
        return ()


class StorageClass(Kubernetes, frozen=True):
    """storage.k8s.io StorageClass."""

    provisioner: str = ""
    parameters: dict[str, str] | None = None


class VolumeNodeAffinity(Read, frozen=True):
    """``nodeAffinity`` of a PersistentVolume, which names the nodes that can use the volume."""

    required: NodeTerms | None = None


class CSISource(Read, frozen=True):
    """``csi`` of a PersistentVolume."""

    driver: str = ""


class ClaimRef(Read, frozen=True):
    """``claimRef`` of a PersistentVolume, which reserves the volume for a claim."""

    namespace: str = ""
    name: str = ""
    uid: str = ""


class PersistentVolumeSpec(Read, frozen=True):
    """``PersistentVolume.spec``."""

    claim_ref: ClaimRef | None = None
    node_affinity: VolumeNodeAffinity | None = None
    host_path: Empty | None = None
    local: Empty | None = None
    csi: CSISource | None = None


class PersistentVolume(Kubernetes, frozen=True):
    """A volume, which is cluster-scoped. The command line reads volumes; the server reads them only from posted manifests."""

    spec: PersistentVolumeSpec = msgspec.field(default_factory=PersistentVolumeSpec)
