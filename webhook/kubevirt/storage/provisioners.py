"""
Whether a provisioner lets two nodes use a volume at the same time, as data.

KubeVirt looks only at the access modes of a PersistentVolumeClaim. Kubernetes does not check that a provisioner supports these
modes, so a claim can list ReadWriteMany although its volume serves one node. Each row names its source and the date on which
the source was read.

For another provisioner, add a row to ``TABLE``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from webhook.facts.storage import BLOCK, FILESYSTEM

CDI: Final = "CDI pkg/storagecapabilities/storagecapabilities.go, main 007b952e"


class Sharing(msgspec.Struct, frozen=True):
    """One volume mode of a provisioner."""

    if_parameter: str = ""
    """The parameter of the StorageClass that must have one of ``values``. If empty, the provisioner shares every volume."""
    values: tuple[str, ...] = ()
    unless: bool = False
    """Whether the parameter must have none of ``values``."""
    depends: str = ""
    """If not empty, the sharing depends on this setting, which is not in the cluster's objects."""


class Row(msgspec.Struct, frozen=True):
    """The volumes that a family of provisioners shares between nodes (ReadWriteMany)."""

    names: tuple[str, ...]
    """The names of provisioners and CSI drivers. An entry that starts with ``.`` matches the end of a name."""
    source: str
    read: str
    """The date on which the source was read."""
    block: Sharing | None = None
    filesystem: Sharing | None = None
    is_local: bool = False
    """Whether each volume stays on the disks of one node."""

    def sharing(self, volume_mode: str) -> Sharing | None:
        """How volumes of this mode are shared, or None if one node can use a volume."""
        return self.block if volume_mode == BLOCK else self.filesystem


_ALWAYS = Sharing()
_NFS_TYPE = Sharing("csi.storage.k8s.io/fstype", ("nfs", "nfs4", "nfsv4"))
_NFS_PROTOCOL = Sharing("protocol", ("nfs", "NFS"))

TABLE: tuple[Row, ...] = (
    Row(
        ("kubevirt.io.hostpath-provisioner", "kubevirt.io/hostpath-provisioner", "k8s.io/minikube-hostpath"),
        CDI,
        "2026-11-29",
        is_local=True,
    ),
    Row(
        ("rancher.io/local-path",),
        "rancher/local-path-provisioner README.md, 00fe13bb (sharedFileSystemPath supports ReadWriteMany)",
        "2026-11-29",
        block=Sharing(depends="the sharedFileSystemPath of the provisioner"),
        filesystem=Sharing(depends="the sharedFileSystemPath of the provisioner"),
    ),
    Row(("topolvm.io", "topolvm.cybozu.com"), CDI, "2026-11-29", is_local=True),
    Row(
        ("openebs.io/local",),
        "openebs/dynamic-localpv-provisioner README.md, 0443601b",
        "2026-11-29",
        is_local=True,
    ),
    Row(("local.csi.openebs.io",), "openebs/lvm-localpv README.md, 14d23621", "2026-11-29", is_local=True),
    Row(("zfs.csi.openebs.io",), "openebs/zfs-localpv README.md, 06f9d9cf", "2026-11-29", is_local=True),
    Row(
        ("lvm.driver.harvesterhci.io",),
        "harvester/csi-driver-lvm (each volume is on lvm.driver.harvesterhci.io/nodeName)",
        "2026-11-29",
        is_local=True,
    ),
    Row(
        ("kubernetes.io/rbd", "rbd.csi.ceph.com", ".rbd.csi.ceph.com"),
        "https://docs.ceph.com/en/latest/csi/rbd/",
        "2026-11-29",
        block=_ALWAYS,
    ),
    Row(
        ("driver.longhorn.io",),
        "longhorn/longhorn-manager isRegularRWXVolume (NFS export only if not migratable)",
        "2026-11-29",
        block=Sharing("migratable", ("true",)),
        filesystem=Sharing("migratable", ("true",), unless=True),
    ),
    Row(
        ("linstor.csi.linbit.com",),
        f"{CDI}; notes of piraeus-operator v2.12.0-rc.2 (ReadWriteMany with Filesystem over NFS)",
        "2026-11-29",
        block=_ALWAYS,
        filesystem=Sharing(depends="the NFS export of LINSTOR CSI"),
    ),
    Row(("ebs.csi.aws.com",), CDI, "2026-11-29", block=Sharing("type", ("io2",))),
    Row(("kubernetes.io/aws-ebs", "kubernetes.io/azure-disk", "kubernetes.io/gce-pd"), CDI, "2026-11-29"),
    Row(
        ("disk.csi.azure.com",),
        "kubernetes-sigs/azuredisk-csi-driver deploy/example/sharedisk/README.md, 007ed1d2",
        "2026-11-29",
        block=Sharing("maxShares", ("", "0", "1"), unless=True),
    ),
    Row(
        ("pd.csi.storage.gke.io",),
        CDI,
        "2026-11-29",
        block=Sharing("type", ("hyperdisk-balanced", "hyperdisk-balanced-high-availability")),
    ),
    Row(
        ("cinder.csi.openstack.org",),
        f"{CDI}; kubernetes/cloud-provider-openstack docs/cinder-csi-plugin/features.md, 009f7db3",
        "2026-11-29",
        block=Sharing(depends="a Cinder volume type with multiattach"),
    ),
    Row(("csi.ovirt.org", "storageos", "kubernetes.io/storageos"), CDI, "2026-11-29"),
    Row(("csi.vsphere.vmware.com",), CDI, "2026-11-29", filesystem=_NFS_TYPE),
    Row(("csi-unity.dellemc.com", "csi.huawei.com"), CDI, "2026-11-29", block=_ALWAYS, filesystem=_NFS_PROTOCOL),
    Row(
        ("csi-powerstore.dellemc.com", "csi-vxflexos.dellemc.com", "csi-powermax.dellemc.com"),
        CDI,
        "2026-11-29",
        block=_ALWAYS,
        filesystem=_NFS_TYPE,
    ),
    Row(
        ("hspc.csi.hitachi.com", "block.csi.ibm.com", "blockvolume.csi.oraclecloud.com", "kubesan.gitlab.io"),
        CDI,
        "2026-11-29",
        block=_ALWAYS,
    ),
    Row(
        ("csi.hpe.com",),
        f"{CDI}; HPE CSI driver (nfsResources for multi-node access)",
        "2026-11-29",
        block=_ALWAYS,
        filesystem=Sharing("nfsResources", ("true",)),
    ),
)


_BY_NAME: Final[Mapping[str, Row]] = {name: row for row in reversed(TABLE) for name in row.names}
_BY_END: Final[Mapping[str, Row]] = {name: row for name, row in _BY_NAME.items() if name.startswith(".")}


class Limit(msgspec.Struct, frozen=True):
    """Why a volume might serve only one node, and the remedy."""

    why: str
    remedy: str


_OTHER_CLASS = "Use a storage class that shares ReadWriteMany volumes between nodes."


def limit_of(
    provisioner: str, parameters: Mapping[str, str] | None, storage_class: str, volume_mode: str | None
) -> Limit | None:
    """
    The limit of a ReadWriteMany volume. The result is None if the provisioner shares the volume or is not in the table.

    The result is also None if the limit depends on a volume mode or on parameters that are not known.
    """
    row = row_of(provisioner)
    if row is None:
        return None
    if row.is_local:
        return Limit(f"provisioner {provisioner} keeps each volume on one node", _OTHER_CLASS)
    if row.block is None and row.filesystem is None:
        return Limit(f"provisioner {provisioner} attaches a volume to one node only", _OTHER_CLASS)
    if volume_mode is None:
        return None
    sharing = row.sharing(volume_mode)
    if sharing is None:
        other = FILESYSTEM if volume_mode == BLOCK else BLOCK
        return Limit(
            f"provisioner {provisioner} shares volumes between nodes only with volumeMode {other}, not {volume_mode}",
            f"Create a PVC with `volumeMode: {other}`, and copy the data.",
        )
    if sharing.depends:
        return Limit(
            f"provisioner {provisioner} shares volumes with volumeMode {volume_mode} only with {sharing.depends}",
            f"Make sure that the class has {sharing.depends}"
            + (", or use `volumeMode: Block`." if volume_mode == FILESYSTEM and row.block == _ALWAYS else "."),
        )
    if not sharing.if_parameter or parameters is None:
        return None
    if (parameters.get(sharing.if_parameter, "") in sharing.values) is not sharing.unless:
        return None
    return _parameter_limit(provisioner, storage_class, volume_mode, sharing)


def is_local(provisioner: str) -> bool:
    """Whether each volume of the provisioner stays on the disks of one node."""
    row = row_of(provisioner)
    return row is not None and row.is_local


def row_of(provisioner: str) -> Row | None:
    """The row that describes the provisioner. A row with the full name has precedence."""
    row = _BY_NAME.get(provisioner)
    if row is None and provisioner:
        row = next((row for end, row in _BY_END.items() if provisioner.endswith(end)), None)
    return row


def _parameter_limit(provisioner: str, storage_class: str, volume_mode: str, sharing: Sharing) -> Limit:
    name, values = sharing.if_parameter, " or ".join(f'"{value}"' for value in sharing.values if value)
    what = f"StorageClass {storage_class!r}" if storage_class else "its StorageClass"
    if sharing.unless and len(sharing.values) == 1:
        return Limit(
            f"{what} of provisioner {provisioner} has {name}: {values}, which shares only volumes with volumeMode "
            "Block",
            f"Create a PVC with `volumeMode: Block`, or use a class without `{name}: {values}`.",
        )
    if sharing.unless:
        return Limit(
            f"{what} of provisioner {provisioner} does not set {name} to 2 or more, so only one node can attach a "
            "volume",
            f"Use a class with parameter {name} of 2 or more.",
        )
    return Limit(
        f"{what} of provisioner {provisioner} shares volumes with volumeMode {volume_mode} only with {name}: {values}",
        f"Use a class with `{name}: {values}`. The parameters of an existing class cannot be changed.",
    )
