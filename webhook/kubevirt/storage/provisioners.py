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

BLOCK: Final = "Block"
FILESYSTEM: Final = "Filesystem"
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

    def covers(self, provisioner: str) -> bool:
        """Whether the row describes this provisioner."""
        return any(provisioner == name or (name[0] == "." and provisioner.endswith(name)) for name in self.names)


_ALWAYS = Sharing()
_NFS_TYPE = Sharing("csi.storage.k8s.io/fstype", ("nfs", "nfs4", "nfsv4"))
_NFS_PROTOCOL = Sharing("protocol", ("nfs", "NFS"))

TABLE: tuple[Row, ...] = (
    Row(
        (
            "kubevirt.io.hostpath-provisioner",
            "kubevirt.io/hostpath-provisioner",
            "k8s.io/minikube-hostpath",
            "docker.io/hostpath",
            "microk8s.io/hostpath",
            "hostpath.csi.k8s.io",
        ),
        CDI,
        "2026-11-29",
        is_local=True,
    ),
    Row(("rancher.io/local-path",), "rancher/local-path-provisioner README.md, v0.0.32", "2026-11-29", is_local=True),
    Row(("topolvm.io", "topolvm.cybozu.com"), CDI, "2026-11-29", is_local=True),
    Row(
        ("openebs.io/local", "local.csi.openebs.io", "zfs.csi.openebs.io"),
        "https://openebs.io/docs/concepts/data-engines/localstorage",
        "2026-11-29",
        is_local=True,
    ),
    Row(
        ("lvm.driver.harvesterhci.io",),
        "https://docs.harvesterhci.io/v1.6/advanced/addons/lvm-local-storage",
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
        "longhorn/longhorn-manager isRegularRWXVolume; https://longhorn.io/docs/1.9.0/references/storage-class-parameters/",
        "2026-11-29",
        block=Sharing("migratable", ("true",)),
        filesystem=Sharing("migratable", ("true",), unless=True),
    ),
    Row(
        ("linstor.csi.linbit.com",),
        f"{CDI}; piraeus-operator v2.12.0 (NFS export)",
        "2026-11-29",
        block=_ALWAYS,
        filesystem=Sharing(depends="the NFS export of LINSTOR CSI 1.13 and later"),
    ),
    Row(("ebs.csi.aws.com",), CDI, "2026-11-29", block=Sharing("type", ("io2",))),
    Row(("kubernetes.io/aws-ebs", "kubernetes.io/azure-disk", "kubernetes.io/gce-pd"), CDI, "2026-11-29"),
    Row(
        ("disk.csi.azure.com",),
        "kubernetes-sigs/azuredisk-csi-driver docs/driver-parameters.md (maxShares), v1.33",
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
        f"{CDI}; kubernetes/cloud-provider-openstack docs/cinder-csi-plugin/features.md (multiattach), v1.34",
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
    Row(("csi.hpe.com",), CDI, "2026-11-29", block=_ALWAYS, filesystem=Sharing("nfsResources", ("true",))),
)


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
    row = next((row for row in TABLE if row.covers(provisioner)), None)
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
            f"with provisioner {provisioner} and volumeMode {volume_mode}, this depends on {sharing.depends}",
            f"Make sure that the class has {sharing.depends}"
            + (", or use `volumeMode: Block`." if volume_mode == FILESYSTEM and row.block is not None else "."),
        )
    if not sharing.if_parameter or parameters is None:
        return None
    if (parameters.get(sharing.if_parameter, "") in sharing.values) is not sharing.unless:
        return None
    return _parameter_limit(provisioner, storage_class, volume_mode, sharing)


def is_local(provisioner: str) -> bool:
    """Whether each volume of the provisioner stays on the disks of one node."""
    return any(row.is_local and row.covers(provisioner) for row in TABLE)


def _parameter_limit(provisioner: str, storage_class: str, volume_mode: str, sharing: Sharing) -> Limit:
    name, values = sharing.if_parameter, " or ".join(f'"{value}"' for value in sharing.values if value)
    what = f"StorageClass {storage_class!r}" if storage_class else "its StorageClass"
    if sharing.unless and len(sharing.values) == 1:
        return Limit(
            f"{what} of provisioner {provisioner} has {name}: {values}, which shares only volumes with volumeMode Block",
            f"Create a PVC with `volumeMode: Block`, or use a class without `{name}: {values}`.",
        )
    if sharing.unless:
        return Limit(
            f"{what} of provisioner {provisioner} has no {name} above 1, so one node can attach a volume",
            f"Use a class with parameter {name} of 2 or more.",
        )
    return Limit(
        f"{what} of provisioner {provisioner} shares volumes with volumeMode {volume_mode} only with {name}: {values}",
        f"Use a class with `{name}: {values}`. The parameters of an existing class cannot be changed.",
    )
