"""
Whether a node can use the volumes of a pod's claims, or volumes for claims that are not bound yet.

Source: ``pkg/scheduler/framework/plugins/volumebinding/binder.go`` and ``FindMatchingVolume`` of
``k8s.io/component-helpers/storage/volume/pv_helpers.go``, Kubernetes v1.34.2.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from webhook.objects.csi import CSIStorageCapacity
from webhook.objects.meta import Quantity as Written
from webhook.objects.quantity import parse_quantity
from webhook.objects.scheduling import NodeTerm
from webhook.objects.volumes import BindingClass, ClusterVolume, TopologyTerm, VolumeClaim
from webhook.scheduling.filters.pod_claims import PodClaims
from webhook.scheduling.label_selectors import selects
from webhook.scheduling.node_info import NodeInfo
from webhook.scheduling.node_selectors import matches_labels
from webhook.scheduling.storage import SELECTED_NODE, Storage, class_of, class_of_volume
from webhook.scheduling.verdicts import Refused, Unknown, refused

PLUGIN: Final = "VolumeBinding"
NODE_CONFLICT: Final = "node(s) didn't match PersistentVolume's node affinity"
NO_VOLUME: Final = "node(s) didn't find available persistent volumes to bind"
NO_SPACE: Final = "node(s) did not have enough free storage"
NO_BOUND_VOLUME: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
_NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
_MIGRATED: Final = "storage.alpha.kubernetes.io/migrated-plugins"
_STORAGE: Final = "storage"


class VolumeBinding:
    """The filter for one pod."""

    def __init__(self, claims: PodClaims, storage: Storage) -> None:
        self._storage = storage
        self._bound = [_required(volume) if volume is not None else None for _, volume in claims.bound]
        """The node affinity of each bound volume. None if the volume does not exist."""
        self._translated = next(
            (volume for _, volume in claims.bound if volume is not None and _is_translated(volume)), None
        )
        self._delayed = [Candidates(claim, storage) for claim in claims.delayed]
        self._delayed.sort(key=lambda candidates: candidates.size)
        self.is_needed = bool(self._delayed) or any(terms is None or terms.restricts for terms in self._bound)

    def check(self, node: NodeInfo) -> Refused | Unknown | None:
        """The reasons against a node, or None if the node can use the volumes."""
        matches, exists = self._check_bound(node)
        translated = self._translation(node)
        if translated is not None:
            return translated
        reasons = [] if matches else [NODE_CONFLICT]
        missing = self._check_delayed(node)
        if isinstance(missing, Unknown):
            if not reasons and exists:
                return missing
        elif missing:
            reasons.append(missing)
        if not exists:
            reasons.append(NO_BOUND_VOLUME)
        return refused(PLUGIN, *reasons) if reasons else None

    def _translation(self, node: NodeInfo) -> Unknown | None:
        """Unknown if a node compares a CSI volume instead of an in-tree volume (``tryTranslatePVToCSI``)."""
        if self._translated is None:
            return None
        csi = self._storage.nodes.find(node.name)
        if csi is None or isinstance(csi, Unknown):
            return csi
        if not (csi.meta.annotations or {}).get(_MIGRATED):
            return None
        return Unknown(f"PersistentVolume {self._translated.name} is translated to a CSI volume")

    def _check_bound(self, node: NodeInfo) -> tuple[bool, bool]:
        """Whether the node matches the bound volumes, and whether these exist. Stops at the first problem."""
        for terms in self._bound:
            if terms is None:
                return True, False
            if not terms.match(node.labels):
                return False, True
        return True, True

    def _check_delayed(self, node: NodeInfo) -> str | Unknown:
        """The reason against a node because of claims that are not bound, or an empty text."""
        to_provision: list[Candidates] = []
        to_match: list[Candidates] = []
        for candidates in self._delayed:
            if candidates.selected_node is None:
                to_match.append(candidates)
            elif candidates.selected_node != node.name:
                return NO_VOLUME
            else:
                to_provision.append(candidates)
        chosen: set[str] = set()
        unknown: Unknown | None = None
        for candidates in to_match:
            volume = candidates.smallest(node, chosen)
            if isinstance(volume, ClusterVolume):
                chosen.add(volume.name)
            else:
                to_provision.append(candidates)
                unknown = unknown or (volume if isinstance(volume, Unknown) else None)
        for candidates in to_provision:
            reason = _provision(candidates, node, self._storage)
            if reason:
                return unknown or reason
        return ""


class _Affinity:
    """The required node affinity of a volume."""

    __slots__ = ("_terms", "restricts")

    def __init__(self, terms: Sequence[NodeTerm] | None) -> None:
        self._terms = terms
        self.restricts = terms is not None

    def match(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels can use the volume."""
        return self._terms is None or matches_labels(self._terms, labels)


def _is_translated(volume: ClusterVolume) -> bool:
    """Whether kube-scheduler can compare the node affinity of the CSI volume that replaces an in-tree volume."""
    return volume.spec.is_translated and _required(volume).restricts


def _required(volume: ClusterVolume) -> _Affinity:
    affinity = volume.spec.node_affinity
    if affinity is None or affinity.required is None:
        return _Affinity(None)
    return _Affinity(affinity.required.node_selector_terms or ())


class Candidates:
    """A claim that is not bound, and the existing volumes that it can use."""

    __slots__ = ("_available", "_missing", "_reserved", "claim", "selected_node", "size", "storage_class")

    def __init__(self, claim: VolumeClaim, storage: Storage) -> None:
        self.claim = claim
        self.selected_node = (claim.meta.annotations or {}).get(SELECTED_NODE)
        self.size = amount((claim.spec.resources.requests if claim.spec.resources is not None else None) or {})
        name = class_of(claim)
        self.storage_class: BindingClass | Unknown | None = storage.classes.find(name)
        self._missing = None if storage.volumes.is_complete else Unknown("PersistentVolumes were not provided")
        self._reserved: list[tuple[ClusterVolume, _Affinity]] = []
        self._available: list[tuple[int, ClusterVolume, _Affinity]] = []
        for volume in storage.of_class(name):
            if not self._is_usable(volume):
                continue
            if volume.spec.claim_ref is not None:
                self._reserved.append((volume, _required(volume)))
            elif _is_available(claim, volume, name):
                self._available.append((amount(volume.spec.capacity or {}), volume, _required(volume)))
        self._available.sort(key=lambda item: item[0])

    def smallest(self, node: NodeInfo, chosen: set[str]) -> ClusterVolume | Unknown | None:
        """The volume that the claim would use on a node, or None if there is none."""
        for volume, affinity in self._reserved:
            if volume.name not in chosen:
                return volume if affinity.match(node.labels) else None
        for _, volume, affinity in self._available:
            if volume.name not in chosen and affinity.match(node.labels):
                return volume
        return self._missing

    def _is_usable(self, volume: ClusterVolume) -> bool:
        claim, spec = self.claim, volume.spec
        return (
            (spec.claim_ref is None or is_reserved_for(volume, claim))
            and amount(spec.capacity or {}) >= self.size
            and (claim.spec.volume_mode or "Filesystem") == (spec.volume_mode or "Filesystem")
            and (claim.spec.volume_attributes_class_name or "") == (spec.volume_attributes_class_name or "")
            and volume.meta.deletion_timestamp is None
        )


def is_reserved_for(volume: ClusterVolume, claim: VolumeClaim) -> bool:
    """Whether ``claimRef`` of a volume names a claim."""
    ref = volume.spec.claim_ref
    return (
        ref is not None
        and (ref.namespace, ref.name) == (claim.namespace, claim.name)
        and ref.uid in {"", claim.meta.uid or ""}
    )


def _is_available(claim: VolumeClaim, volume: ClusterVolume, class_name: str) -> bool:
    return (
        volume.status is not None
        and volume.status.phase == "Available"
        and (claim.spec.selector is None or selects(claim.spec.selector, volume.meta.labels or {}))
        and class_of_volume(volume) == class_name
        and set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ())
    )


def _provision(candidates: Candidates, node: NodeInfo, storage: Storage) -> str | Unknown:
    """The reason why the volume of a claim cannot be created for a node, or an empty text (``checkVolumeProvisions``)."""
    storage_class = candidates.storage_class
    if storage_class is None or isinstance(storage_class, Unknown):
        return storage_class or NO_VOLUME
    if storage_class.provisioner in {"", _NO_PROVISIONER}:
        return NO_VOLUME
    if not _is_allowed(storage_class.allowed_topologies or (), node.labels):
        return NO_VOLUME
    return _capacity(candidates, storage_class, node, storage)


def _capacity(candidates: Candidates, storage_class: BindingClass, node: NodeInfo, storage: Storage) -> str | Unknown:
    if not candidates.size:
        return ""
    driver = storage.drivers.find(storage_class.provisioner)
    if isinstance(driver, Unknown):
        return driver
    if driver is None or not driver.spec.storage_capacity:
        return ""
    if storage.capacities is None:
        return Unknown("CSIStorageCapacities were not provided")
    is_enough = any(
        capacity.storage_class_name == storage_class.name
        and _limit(capacity) >= candidates.size
        and selects(capacity.node_topology, node.labels)
        for capacity in storage.capacities
    )
    return "" if is_enough else NO_SPACE


def _limit(capacity: CSIStorageCapacity) -> int:
    written = capacity.maximum_volume_size if capacity.maximum_volume_size is not None else capacity.capacity
    return amount({_STORAGE: written}) if written is not None else -1


def _is_allowed(terms: Sequence[TopologyTerm], labels: Mapping[str, str]) -> bool:
    """Source: ``MatchTopologySelectorTerms`` of ``pkg/apis/core/v1/helper/helpers.go``."""
    return not terms or any(
        term.match_label_expressions
        and all(labels.get(each.key) in (each.values or ()) for each in term.match_label_expressions)
        for term in terms
    )


def amount(resources: Mapping[str, Written]) -> int:
    """The amount of storage in bytes, rounded up. 0 if it is not stated."""
    quantity = parse_quantity(resources.get(_STORAGE, 0))
    return quantity.value if quantity is not None else 0
