"""Claims and what CDI makes them from."""

import msgspec

from webhook.objects.meta import Kubernetes, ObjectMeta, Read


class ClaimSpec(Read, frozen=True):
    """``PersistentVolumeClaim.spec`` and ``spec.pvc`` and ``spec.storage`` of a DataVolume, which share these fields."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None
    storage_class_name: str | None = None


class PersistentVolumeClaim(Kubernetes, frozen=True):
    """A claim. virt-controller copies ``spec.accessModes``, not ``status.accessModes``, for the verdict."""

    spec: ClaimSpec = msgspec.field(default_factory=ClaimSpec)


class DataSourceRef(Read, frozen=True):
    """``sourceRef`` of a DataVolume."""

    kind: str = ""
    namespace: str | None = None
    name: str = ""


class SourceName(Read, frozen=True):
    """``source.pvc`` and ``source.snapshot`` of a DataVolume or DataSource, and ``source.dataSource`` of a DataSource."""

    namespace: str | None = None
    name: str = ""


class VolumeOrigin(Read, frozen=True):
    """``source`` of a DataVolume or DataSource, as far as anything is inferred from it."""

    pvc: SourceName | None = None
    snapshot: SourceName | None = None
    data_source: SourceName | None = None


class DataVolumeSpec(Read, frozen=True):
    """``DataVolume.spec``: exactly one of ``pvc`` (modes as given) and ``storage`` (modes may come from a StorageProfile)."""

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
    """What a storage class can give, best first."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None


class StorageProfileSpec(Read, frozen=True):
    """``StorageProfile.spec``: what an administrator set."""

    claim_property_sets: list[ClaimPropertySet] | None = None


class StorageProfileStatus(Read, frozen=True):
    """``StorageProfile.status``: what is in force."""

    claim_property_sets: list[ClaimPropertySet] | None = None
    provisioner: str | None = None
    storage_class: str | None = None


class StorageProfile(Kubernetes, frozen=True):
    """cdi.kubevirt.io StorageProfile, cluster-scoped, named like its StorageClass."""

    spec: StorageProfileSpec | None = None
    status: StorageProfileStatus | None = None

    @property
    def property_sets(self) -> tuple[ClaimPropertySet, ...]:
        """The sets in force: ``status`` where CDI wrote it, else what ``spec`` asks for; best first."""
        if self.status is not None and self.status.claim_property_sets is not None:
            return tuple(self.status.claim_property_sets)
        if self.spec is not None and self.spec.claim_property_sets is not None:
            return tuple(self.spec.claim_property_sets)
        return ()


class StorageClass(Kubernetes, frozen=True):
    """storage.k8s.io StorageClass."""

    provisioner: str = ""
