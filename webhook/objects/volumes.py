"""
Claims, volumes and storage classes, with the fields that kube-scheduler's volume plugins read.

Source: ``k8s.io/api/core/v1/types.go`` and ``k8s.io/api/storage/v1/types.go``, v0.34. These structs are read only for the
rehearsal of a drain. Verdicts read the smaller structs of ``webhook.objects.storage``.
"""

import msgspec

from webhook.objects.meta import Empty, Kubernetes, Quantity, Read
from webhook.objects.scheduling import LabelSelector
from webhook.objects.storage import ClaimRef, ClaimResources, VolumeNodeAffinity


class VolumeClaimSpec(Read, frozen=True):
    """``PersistentVolumeClaim.spec``."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None
    storage_class_name: str | None = None
    volume_name: str = ""
    volume_attributes_class_name: str | None = None
    resources: ClaimResources | None = None
    selector: LabelSelector | None = None


class VolumeClaimStatus(Read, frozen=True):
    """``PersistentVolumeClaim.status``."""

    phase: str = ""


class VolumeClaim(Kubernetes, frozen=True):
    """A PersistentVolumeClaim."""

    spec: VolumeClaimSpec = msgspec.field(default_factory=VolumeClaimSpec)
    status: VolumeClaimStatus | None = None


class CSIVolume(Read, frozen=True):
    """``csi`` of a PersistentVolume."""

    driver: str = ""
    volume_handle: str = ""


class ClusterVolumeSpec(Read, frozen=True):
    """``PersistentVolume.spec``. The last five fields are volume plugins that Kubernetes translates to CSI drivers."""

    access_modes: list[str] | None = None
    volume_mode: str | None = None
    storage_class_name: str = ""
    volume_attributes_class_name: str | None = None
    capacity: dict[str, Quantity] | None = None
    claim_ref: ClaimRef | None = None
    node_affinity: VolumeNodeAffinity | None = None
    csi: CSIVolume | None = None
    aws_elastic_block_store: Empty | None = None
    azure_disk: Empty | None = None
    cinder: Empty | None = None
    gce_persistent_disk: Empty | None = None
    portworx_volume: Empty | None = None

    @property
    def is_translated(self) -> bool:
        """Whether the scheduler can translate the volume to a CSI volume, which has other topology labels."""
        return not (
            self.aws_elastic_block_store
            is self.azure_disk
            is self.cinder
            is self.gce_persistent_disk
            is self.portworx_volume
            is None
        )


class ClusterVolumeStatus(Read, frozen=True):
    """``PersistentVolume.status``."""

    phase: str = ""


class ClusterVolume(Kubernetes, frozen=True):
    """A PersistentVolume."""

    spec: ClusterVolumeSpec = msgspec.field(default_factory=ClusterVolumeSpec)
    status: ClusterVolumeStatus | None = None


class TopologyRequirement(Read, frozen=True):
    """An entry of ``matchLabelExpressions``: a label and its allowed values."""

    key: str = ""
    values: list[str] | None = None


class TopologyTerm(Read, frozen=True):
    """An entry of ``allowedTopologies``. A node must meet all requirements of the entry."""

    match_label_expressions: list[TopologyRequirement] | None = None


class BindingClass(Kubernetes, frozen=True):
    """A StorageClass. The API server sets ``volumeBindingMode`` to ``Immediate`` if the field is absent."""

    provisioner: str = ""
    volume_binding_mode: str | None = None
    allowed_topologies: list[TopologyTerm] | None = None
