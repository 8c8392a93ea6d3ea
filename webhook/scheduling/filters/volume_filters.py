"""
The filter plugins VolumeRestrictions, NodeVolumeLimits and VolumeZone.

Source: ``pkg/scheduler/framework/plugins``, Kubernetes v1.34.2.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from webhook.objects.pods import Pod, PodVolume
from webhook.objects.volumes import ClusterVolume
from webhook.scheduling.filters.pod_claims import PodClaims
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.pod_index import PodIndex
from webhook.scheduling.verdicts import Refused, refused

_DISK_CONFLICT: Final = refused("VolumeRestrictions", "node(s) had no available disk")
_ONCE: Final = refused(
    "VolumeRestrictions",
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
)
_ZONE_CONFLICT: Final = refused("VolumeZone", "node(s) had no available volume zone")
_ZONE: Final = "topology.kubernetes.io/zone"
_REGION: Final = "topology.kubernetes.io/region"
_TOPOLOGY_LABELS: Final[Mapping[str, str]] = {
    "failure-domain.beta.kubernetes.io/zone": _ZONE,
    "failure-domain.beta.kubernetes.io/region": _REGION,
    _ZONE: _ZONE,
    _REGION: _REGION,
}
"""The labels that VolumeZone compares, with the label that replaced each."""


class VolumeRestrictions:
    """Keeps pods that share a disk or a ReadWriteOncePod claim apart."""

    def __init__(self, pod: Pod, claims: PodClaims, pods: PodIndex) -> None:
        self._disks = [volume for volume in pod.spec.volumes or () if _is_disk(volume)]
        self._is_in_use = any(pods.claim_users.get((pod.namespace, name), 0) for name in claims.once)
        self.is_needed = bool(self._disks) or self._is_in_use

    def check(self, node: NodeInfo) -> Refused | None:
        """The refusal of a node, if any."""
        if self._disks and any(
            _conflicts(disk, existing)
            for info in node.pods.values()
            for existing in info.pod.spec.volumes or ()
            for disk in self._disks
        ):
            return _DISK_CONFLICT
        return _ONCE if self._is_in_use else None


def _is_disk(volume: PodVolume) -> bool:
    return not (volume.gce_persistent_disk is volume.aws_elastic_block_store is volume.iscsi is volume.rbd is None)


def _conflicts(disk: PodVolume, other: PodVolume) -> bool:
    """Source: ``isVolumeConflict``."""
    gce, existing = disk.gce_persistent_disk, other.gce_persistent_disk
    if gce and existing and gce.pd_name == existing.pd_name and not (gce.read_only and existing.read_only):
        return True
    aws, existing = disk.aws_elastic_block_store, other.aws_elastic_block_store
    if aws and existing and aws.volume_id == existing.volume_id:
        return True
    iscsi, existing = disk.iscsi, other.iscsi
    if iscsi and existing and iscsi.iqn == existing.iqn and not (iscsi.read_only and existing.read_only):
        return True
    rbd, existing = disk.rbd, other.rbd
    return bool(
        rbd
        and existing
        and set(rbd.monitors or ()) & set(existing.monitors or ())
        and (rbd.pool, rbd.image) == (existing.pool, existing.image)
        and not (rbd.read_only and existing.read_only)
    )


class VolumeZone:
    """Keeps pods in the zone and region of their volumes."""

    def __init__(self, claims: PodClaims) -> None:
        self._zones = [zone for volume in claims.zoned for zone in _zones(volume)]
        self.is_needed = bool(self._zones)

    def check(self, node: NodeInfo) -> Refused | None:
        """The refusal of a node, if any. A node without labels for zone and region is not refused."""
        labels = node.labels
        if not any(label in labels for label in _TOPOLOGY_LABELS):
            return None
        for label, values in self._zones:
            if labels.get(label, labels.get(_TOPOLOGY_LABELS[label])) not in values:
                return _ZONE_CONFLICT
        return None


def _zones(volume: ClusterVolume) -> Iterable[tuple[str, frozenset[str]]]:
    labels = volume.meta.labels or {}
    for label in _TOPOLOGY_LABELS:
        values = [value.strip() for value in labels[label].split("__")] if label in labels else []
        if values and all(values):
            yield label, frozenset(values)
