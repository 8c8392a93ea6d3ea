"""
The claims, volumes and CSI drivers of a cluster, as the volume plugins of kube-scheduler look them up.

Source: ``pkg/scheduler/framework/plugins/volumebinding/binder.go``, ``nodevolumelimits/csi.go`` and
``k8s.io/component-helpers/storage``, Kubernetes v1.34.2.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from webhook.objects.csi import CSIDriver, CSINode
from webhook.objects.pods import Pod, PodVolume
from webhook.objects.volumes import BindingClass, ClusterVolume, VolumeClaim
from webhook.scheduling.cluster_facts import ClusterFacts, Lookup, by_name
from webhook.scheduling.pod_info import PodInfo, claim_of
from webhook.scheduling.verdicts import Unknown

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
DELAYED: Final = "WaitForFirstConsumer"
_IN_TREE: Final = frozenset(
    (
        "kubernetes.io/aws-ebs",
        "kubernetes.io/azure-disk",
        "kubernetes.io/cinder",
        "kubernetes.io/gce-pd",
        "kubernetes.io/portworx-volume",
    )
)
"""Provisioners that Kubernetes translates to CSI drivers."""

_UNLIMITED: Final = 2**31

VolumeNames: TypeAlias = tuple[tuple[tuple[str, str], ...], Unknown | None]
"""The CSI volumes of a pod as pairs of driver and volume, and the reason if there can be more of them."""


class Storage:
    """The lookups. A lookup returns None for an object that does not exist, and Unknown if that is not known."""

    def __init__(self, facts: ClusterFacts) -> None:
        self._claims: Lookup[tuple[str, str], VolumeClaim] = Lookup(
            "PersistentVolumeClaim",
            (((each.namespace, each.name), each) for each in facts.claims or ()),
            is_complete=facts.has_all("PersistentVolumeClaim", facts.claims),
        )
        self.volumes: Lookup[str, ClusterVolume] = by_name(facts, "PersistentVolume", facts.volumes)
        self.classes: Lookup[str, BindingClass] = by_name(facts, "StorageClass", facts.storage_classes)
        self.nodes: Lookup[str, CSINode] = by_name(facts, "CSINode", facts.csi_nodes)
        self.drivers: Lookup[str, CSIDriver] = by_name(facts, "CSIDriver", facts.csi_drivers)
        self.capacities = (
            facts.storage_capacities if facts.has_all("CSIStorageCapacity", facts.storage_capacities) else None
        )
        self.attachments = _attachments(facts)
        """The CSI volumes by node that VolumeAttachments name."""
        self.assumed: dict[tuple[str, str], int] = {}
        """The number of placed pods by claim that is bound only since one of them has a node."""
        self._least: dict[str, int] | None = None
        self._limits: dict[str, Mapping[str, int] | Unknown] = {}
        self._by_class: dict[str, list[ClusterVolume]] | None = None

    def claim(self, namespace: str, name: str) -> VolumeClaim | Unknown | None:
        """A claim."""
        return self._claims.find((namespace, name))

    def limits(self, node: str) -> Mapping[str, int] | Unknown:
        """The number of volumes that a node can attach, by driver. A driver without a limit is absent."""
        limits = self._limits.get(node)
        if limits is None:
            csi = self.nodes.find(node)
            limits = self._limits[node] = csi if isinstance(csi, Unknown) else _limits(csi)
        return limits

    def least_limit(self, drivers: Iterable[str]) -> int:
        """The least number of volumes that a node can attach of one of the drivers. -1 if a node is not known."""
        if not self.nodes.is_complete:
            return -1
        if self._least is None:
            self._least = {}
            for csi in self.nodes.every():
                for driver, count in _limits(csi).items():
                    self._least[driver] = min(count, self._least.get(driver, count))
        least = self._least
        return min([least.get(driver, _UNLIMITED) for driver in drivers], default=_UNLIMITED)

    def of_class(self, name: str) -> Iterable[ClusterVolume]:
        """The volumes of a storage class."""
        if self._by_class is None:
            self._by_class = {}
            for volume in self.volumes.every():
                self._by_class.setdefault(class_of_volume(volume), []).append(volume)
        return self._by_class.get(name, ())

    def is_taken(self, claim: VolumeClaim) -> bool:
        """Whether a placed pod decides which volume the claim gets."""
        if (claim.namespace, claim.name) in self.assumed:
            return True
        name = class_of(claim)
        return (
            bool(self.assumed)
            and bool(self.of_class(name))
            and any(
                isinstance(other := self.claim(*key), VolumeClaim) and class_of(other) == name for key in self.assumed
            )
        )

    def volume_names(self, pod: PodInfo) -> VolumeNames:
        """The CSI volumes of a pod. The volume of a claim that is not bound is the claim itself."""
        if pod.volumes is None:
            pod.volumes = self._volume_names(pod.pod) if pod.pod.spec.volumes else ((), None)
        return pod.volumes

    def _volume_names(self, pod: Pod) -> VolumeNames:
        names: list[tuple[str, str]] = []
        unknown: Unknown | None = None
        for volume in pod.spec.volumes or ():
            name = self._volume_name(pod, volume)
            if isinstance(name, Unknown):
                unknown = unknown or name
            elif name is not None:
                names.append(name)
        return tuple(dict.fromkeys(names)), unknown

    def _volume_name(self, pod: Pod, volume: PodVolume) -> tuple[str, str] | Unknown | None:
        """The driver and the volume, or None for a volume that does not count (``filterAttachableVolumes``)."""
        name = claim_of(pod, volume)
        if name is None:
            inline = volume.gce_persistent_disk or volume.aws_elastic_block_store
            return Unknown(f"volume {volume.name} is translated to a CSI volume") if inline is not None else None
        claim = self.claim(pod.namespace, name)
        if claim is None or isinstance(claim, Unknown):
            return claim
        bound = self.volumes.find(claim.spec.volume_name) if claim.spec.volume_name else None
        if isinstance(bound, Unknown):
            return bound
        if bound is None:
            return self._provisioned(claim)
        if bound.spec.csi is None:
            return _translated(bound) if bound.spec.is_translated else None
        driver, handle = bound.spec.csi.driver, bound.spec.csi.volume_handle
        return (driver, handle) if driver and handle else None

    def _provisioned(self, claim: VolumeClaim) -> tuple[str, str] | Unknown | None:
        """The driver that will provision the volume of a claim (``getCSIDriverInfoFromSC``)."""
        name = class_of(claim)
        storage_class = self.classes.find(name) if name else None
        if storage_class is None or isinstance(storage_class, Unknown):
            return storage_class
        if storage_class.provisioner in _IN_TREE:
            return Unknown(f"provisioner {storage_class.provisioner} is translated to a CSI driver")
        return storage_class.provisioner, f"{claim.namespace}/{claim.name}"


def _limits(csi: CSINode | None) -> Mapping[str, int]:
    return {
        driver.name: driver.allocatable.count
        for driver in (csi.spec.drivers if csi is not None else None) or ()
        if driver.allocatable is not None and driver.allocatable.count is not None
    }


def _attachments(facts: ClusterFacts) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Source: ``getNodeVolumeAttachmentInfo``."""
    handles = {
        volume.name: volume.spec.csi.volume_handle for volume in facts.volumes or () if volume.spec.csi is not None
    }
    by_node: dict[str, list[tuple[str, str]]] = {}
    for attachment in facts.attachments or ():
        spec = attachment.spec
        name = spec.source.persistent_volume_name if spec.source is not None else None
        if spec.attacher and name in handles:
            by_node.setdefault(spec.node_name, []).append((spec.attacher, handles[name]))
    return by_node


def _translated(volume: ClusterVolume) -> Unknown:
    return Unknown(f"PersistentVolume {volume.name} is translated to a CSI volume")


def class_of(claim: VolumeClaim) -> str:
    """The storage class of a claim, or an empty text."""
    annotations = claim.meta.annotations or {}
    return annotations.get(BETA_CLASS, claim.spec.storage_class_name or "")


def class_of_volume(volume: ClusterVolume) -> str:
    """The storage class of a volume, or an empty text."""
    return (volume.meta.annotations or {}).get(BETA_CLASS, volume.spec.storage_class_name)


def is_bound(claim: VolumeClaim) -> bool:
    """Whether the volume controller has bound the claim to a volume."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in (claim.meta.annotations or {})
