"""
The objects in which CSI drivers report their limits: CSINode, CSIDriver, CSIStorageCapacity and VolumeAttachment.

Source: ``k8s.io/api/storage/v1/types.go``, v0.34. These objects are read only for the rehearsal of a drain.
"""

import msgspec

from webhook.objects.meta import Kubernetes, Quantity, Read
from webhook.objects.scheduling import LabelSelector


class VolumeLimit(Read, frozen=True):
    """``allocatable`` of a driver on a node."""

    count: int | None = None
    """The number of volumes of the driver that the node can attach."""


class NodeDriver(Read, frozen=True):
    """An entry of ``CSINode.spec.drivers``."""

    name: str = ""
    allocatable: VolumeLimit | None = None


class CSINodeSpec(Read, frozen=True):
    """``CSINode.spec``."""

    drivers: list[NodeDriver] | None = None


class CSINode(Kubernetes, frozen=True):
    """The CSI drivers of a node. The object has the name of the node."""

    spec: CSINodeSpec = msgspec.field(default_factory=CSINodeSpec)


class CSIDriverSpec(Read, frozen=True):
    """``CSIDriver.spec``."""

    storage_capacity: bool | None = None


class CSIDriver(Kubernetes, frozen=True):
    """A CSI driver. kube-scheduler checks the free capacity for new volumes if ``storageCapacity`` is true."""

    spec: CSIDriverSpec = msgspec.field(default_factory=CSIDriverSpec)


class CSIStorageCapacity(Kubernetes, frozen=True):
    """The free capacity for volumes of a StorageClass on the nodes that ``nodeTopology`` selects."""

    storage_class_name: str = ""
    node_topology: LabelSelector | None = None
    capacity: Quantity | None = None
    maximum_volume_size: Quantity | None = None


class AttachedVolume(Read, frozen=True):
    """``source`` of a VolumeAttachment."""

    persistent_volume_name: str | None = None


class VolumeAttachmentSpec(Read, frozen=True):
    """``VolumeAttachment.spec``."""

    attacher: str = ""
    node_name: str = ""
    source: AttachedVolume | None = None


class VolumeAttachment(Kubernetes, frozen=True):
    """A volume that is attached to a node, or that is about to be attached."""

    spec: VolumeAttachmentSpec = msgspec.field(default_factory=VolumeAttachmentSpec)
