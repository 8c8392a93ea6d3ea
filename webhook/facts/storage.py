"""The facts about the storage behind a VMI's claims. KubeVirt's verdict does not depend on them."""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.facts.unknown import Fact
from webhook.objects.kubevirt import Configuration
from webhook.objects.path import FieldPath

BLOCK: Final = "Block"
FILESYSTEM: Final = "Filesystem"


class BackedClaim(msgspec.Struct, frozen=True):
    """A claim that two nodes must use during a live migration, and the known part of its storage."""

    volume: str
    claim: str
    path: FieldPath
    storage_class: str = ""
    """The name of the class, or an empty text if it is not known."""
    is_class_missing: bool = False
    """Whether the cluster is known to have no class of this name, although the claim does not exist yet."""
    provisioner: str = ""
    """The provisioner or CSI driver, or an empty text if it is not known."""
    parameters: Mapping[str, str] | None = None
    """The parameters of the StorageClass, or None if the class is not known."""
    volume_mode: str | None = None
    """None if the mode is not known."""
    persistent_volume: str = ""
    """The name of the PersistentVolume, or an empty text if it is not known."""
    usable_nodes: tuple[str, ...] | None = None
    """The nodes that can use the PersistentVolume if they are fewer than two, otherwise None."""
    is_on_a_node: bool = False
    """Whether the PersistentVolume is a folder or disk of a node (``hostPath`` or ``local``)."""
    offered: tuple[tuple[frozenset[str], str | None], ...] | None = None
    """
    Access modes and volume mode of each property set in the StorageProfile of the class. None for an existing claim, and if
    the StorageProfile is not known or has no property sets.
    """
    modes: frozenset[str] = frozenset(("ReadWriteMany",))
    """The access modes of the claim."""


class FixedVolume(msgspec.Struct, frozen=True):
    """A volume on a claim that KubeVirt refuses to move to another claim while the VM runs."""

    volume: str
    path: FieldPath
    why: str
    """The part of the VM that prevents it, such as ``its disk is a LUN``."""
    releases: int


class VolumeMigrationFacts(msgspec.Struct, frozen=True):
    """The facts about a VM with ``updateVolumesStrategy: Migration``."""

    path: FieldPath
    """The path of the field."""
    releases: int
    configuration: Fact[Configuration]
    workload_update_methods: tuple[str, ...]
    """``spec.workloadUpdateStrategy.workloadUpdateMethods`` of the KubeVirt CR."""
    fixed: tuple[FixedVolume, ...]
    other_reasons: Mapping[tuple[str, ...], int] = msgspec.field(default_factory=dict)
    """The reasons in the message of condition StorageLiveMigratable with their releases, if that condition is False."""


class StorageFacts(msgspec.Struct, frozen=True):
    """The storage of one VMI."""

    claims: tuple[BackedClaim, ...]
    volume_migration: VolumeMigrationFacts | None = None
