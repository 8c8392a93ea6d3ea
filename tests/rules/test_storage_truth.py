"""
Storage that serves only one node although its claim is ReadWriteMany (LM210), by kind of input.

KubeVirt's verdict stays LiveMigratable True. The finding is advice.
"""

import json
from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, judgement, vm, world
from webhook.facts.storage import BLOCK, FILESYSTEM
from webhook.kubevirt.releases import KNOWN
from webhook.kubevirt.storage.provisioners import TABLE, limit_of, row_of
from webhook.objects.nad import Node
from webhook.rules.example import claim, kubevirt, node, persistent_volume, storage_class, storage_profile

Manifest = dict[str, Any]
MASQUERADE = kubevirt(network={"defaultNetworkInterface": "masquerade"})
ON_C = "volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]"
ZONE = "topology.kubernetes.io/zone"
NOT_NODES = tuple(kind for kind in EVERYTHING if kind is not Node)


def rwx(storage_class_name: str = "s", mode: str | None = BLOCK, volume: str = "") -> Manifest:
    """PVC ``c`` with ReadWriteMany."""
    made: Manifest = claim("c", "ReadWriteMany")
    made["spec"]["storageClassName"] = storage_class_name
    made["spec"] |= ({"volumeMode": mode} if mode else {}) | ({"volumeName": volume} if volume else {})
    return made


def found(machine: Manifest, *others: Manifest, **around: Any) -> list[tuple[str, bool, str]]:
    """The findings of LM210: path of the volume, whether it is undetermined, and the message."""
    result = judgement(machine, world(MASQUERADE, *others, **around), KNOWN)
    assert result.verdict is not None
    assert result.verdict.live_migratable is True
    return [
        (str(finding.path[-1]), finding.undetermined, finding.message)
        for finding in result.findings
        if finding.rule.id == "LM210"
    ]


def says(words: str, *given: Any, **around: Any) -> bool:
    """Whether there is exactly one finding, a violation whose message contains ``words``."""
    [(_, undetermined, message)] = found(*given, **around)
    return not undetermined and words in message


def volume(name: str, **spec: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def terms(*requirements: list[tuple[str, str, list[str]]]) -> Manifest:
    """``nodeAffinity`` with one term for each list of requirements."""
    listed = [
        {"matchExpressions": [{"key": key, "operator": operator, "values": values} for key, operator, values in term]}
        for term in requirements
    ]
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": listed}}}


@pytest.mark.parametrize("label", ["kubernetes.io/hostname", "topology.topolvm.io/node", "openebs.io/nodename"])
def test_a_volume_that_names_one_node_is_for_one_node(label: str) -> None:
    """
    A hostname, or a label that a storage driver sets per node, selects one node even if no node was provided.
    """
    assert says(
        "only node 'n1'", vm(ON_C), rwx(volume="pv"), persistent_volume("pv", "n1", label=label), complete=NOT_NODES
    )
    assert found(vm(ON_C), rwx(volume="pv"), persistent_volume("pv", "n1", "n2", label=label), complete=NOT_NODES) == []


@pytest.mark.parametrize(
    ("affinity", "usable"),
    [
        (terms([(ZONE, "In", ["a"])]), 2),
        (terms([(ZONE, "In", ["b"])]), 1),
        (terms([(ZONE, "NotIn", ["a"])]), 1),
        (terms([(ZONE, "Exists", [])]), 3),
        (terms([(ZONE, "DoesNotExist", [])]), 0),
        (terms([(ZONE, "In", ["b"])], [("kubernetes.io/hostname", "In", ["n1"])]), 2),
        (terms([(ZONE, "In", ["a"]), ("kubernetes.io/hostname", "In", ["n1", "n3"])]), 1),
        (terms([("rank", "Gt", ["2"])]), 1),
        (terms([("rank", "Lt", ["3"])]), 2),
        (terms([("label.of/no-node", "In", ["x"])]), None),
    ],
)
def test_a_volume_counts_the_nodes_that_can_use_it(affinity: Manifest, usable: int | None) -> None:
    """
    With the nodes, fewer than two matching nodes is a finding. A label that no node has is not known.
    """
    nodes = [
        node(f"n{number}", **{ZONE: zone, "kubernetes.io/hostname": f"n{number}", "rank": str(number)})
        for number, zone in enumerate("aab", 1)
    ]

    assert bool(found(vm(ON_C), rwx(volume="pv"), volume("pv", **affinity), *nodes)) is (usable in (0, 1))


@pytest.mark.parametrize(
    ("reserved", "uid", "reported"),
    [
        ({"namespace": "tenant", "name": "c"}, None, True),
        ({"namespace": "tenant", "name": "c", "uid": "u1"}, None, True),
        ({"namespace": "tenant", "name": "c", "uid": "u1"}, "u1", True),
        ({"namespace": "tenant", "name": "c", "uid": "u1"}, "u2", False),
        ({"namespace": "other", "name": "c"}, None, False),
        ({"namespace": "tenant", "name": "d"}, None, False),
        ({}, None, False),
    ],
)
def test_a_volume_belongs_to_the_claim_that_it_reserves(
    reserved: dict[str, str], uid: str | None, reported: bool
) -> None:
    """
    The claim has no volumeName. The volume names the claim in claimRef, and the uid of another claim does not match.
    """
    one_node = volume("pv", claimRef=reserved, local={"path": "/x"})
    made = rwx()
    made["metadata"] |= {"uid": uid} if uid else {}

    assert bool(found(vm(ON_C), made, volume("other", local={"path": "/y"}), one_node)) is reported


def test_a_claim_without_a_class_can_have_a_reserved_volume() -> None:
    """
    A claim with only access modes, as in a repository with volumes that an administrator made. No class is known.
    """
    bare: Manifest = claim("c", "ReadWriteMany")
    reserved = volume("pv", claimRef={"namespace": "tenant", "name": "c"}, hostPath={"path": "/x"})

    assert says("folder or disk of a node", vm(ON_C), bare, reserved, complete=())


def test_the_volume_that_a_claim_names_counts_before_a_reserved_one() -> None:
    """
    Kubernetes binds a claim with volumeName to this volume only.
    """
    reserved = volume("reserved", claimRef={"namespace": "tenant", "name": "c"}, hostPath={"path": "/x"})

    assert found(vm(ON_C), rwx(volume="pv"), volume("pv", nfs={"server": "x", "path": "/"}), reserved) == []


def test_the_profile_and_the_class_of_a_reserved_volume_do_not_matter() -> None:
    """
    Nothing provisions a volume for a claim that has a reserved one (LM210 and LM211).
    """
    others = (
        rwx(),
        volume("pv", claimRef={"namespace": "tenant", "name": "c"}, nfs={"server": "x", "path": "/"}),
        storage_profile("s", "ReadWriteOnce"),
    )
    result = judgement(vm(ON_C), world(MASQUERADE, *others), KNOWN)

    assert [finding.rule.id for finding in result.findings if finding.rule.id in {"LM210", "LM211"}] == []


@pytest.mark.parametrize("source", ["hostPath", "local"])
def test_a_folder_of_a_node_is_for_one_node(source: str) -> None:
    """
    A PersistentVolume with hostPath or local, without node affinity.
    """
    assert says("folder or disk of a node", vm(ON_C), rwx(volume="pv"), volume("pv", **{source: {"path": "/x"}}))


def test_the_driver_of_a_volume_is_its_provisioner() -> None:
    """
    Without the StorageClass, the CSI driver of the PersistentVolume names the provisioner. Parameters stay unknown.
    """
    assert says("keeps each volume", vm(ON_C), rwx(volume="pv"), volume("pv", csi={"driver": "topolvm.io"}))
    assert found(vm(ON_C), rwx(volume="pv"), volume("pv", csi={"driver": "driver.longhorn.io"})) == []


@pytest.mark.parametrize(
    ("parameters", "mode", "shared"),
    [
        ({"numberOfReplicas": "3"}, BLOCK, False),
        ({"migratable": "false"}, BLOCK, False),
        ({"migratable": "true"}, BLOCK, True),
        ({"migratable": "true"}, FILESYSTEM, False),
        ({"migratable": "true"}, None, False),
        ({}, FILESYSTEM, True),
    ],
)
def test_longhorn_shares_by_the_parameter_migratable(
    parameters: dict[str, str], mode: str | None, shared: bool
) -> None:
    """
    Block needs ``migratable: "true"``; Filesystem must not have it. A PVC without volumeMode is Filesystem.
    """
    others = rwx(mode=mode), storage_class("s", "driver.longhorn.io", **parameters)

    assert (found(vm(ON_C), *others) == []) is shared


@pytest.mark.parametrize(
    "provisioner",
    ["rbd.csi.ceph.com", "rook-ceph.rbd.csi.ceph.com", "openshift-storage.rbd.csi.ceph.com", "my.rbd.csi.ceph.com"],
)
def test_ceph_rbd_shares_block_volumes_only(provisioner: str) -> None:
    """
    The namespace of the operator is the start of the driver's name.
    """
    assert found(vm(ON_C), rwx(), storage_class("s", provisioner)) == []
    assert says("only with volumeMode Block", vm(ON_C), rwx(mode=FILESYSTEM), storage_class("s", provisioner))


def test_linstor_filesystems_depend_on_the_nfs_export() -> None:
    """
    Block volumes are shared. For Filesystem, the finding names the condition.
    """
    assert found(vm(ON_C), rwx(), storage_class("s", "linstor.csi.linbit.com")) == []
    assert says("NFS export", vm(ON_C), rwx(mode=FILESYSTEM), storage_class("s", "linstor.csi.linbit.com"))


@pytest.mark.parametrize("mode", [BLOCK, FILESYSTEM])
def test_local_path_volumes_depend_on_a_shared_folder(mode: str) -> None:
    """
    With sharedFileSystemPath, the provisioner of Rancher supports ReadWriteMany.
    """
    assert says("sharedFileSystemPath", vm(ON_C), rwx(mode=mode), storage_class("s", "rancher.io/local-path"))


def template(**storage: Any) -> Manifest:
    """A VM whose dataVolumeTemplate has these fields under ``storage``."""
    entry = {"metadata": {"name": "dv"}, "spec": {"storage": {"accessModes": ["ReadWriteMany"], **storage}}}
    return vm("volumes: [{name: d, dataVolume: {name: dv}}]", dataVolumeTemplates=[entry])


@pytest.mark.parametrize(
    ("machine", "offered", "words"),
    [
        (template(storageClassName="s"), ("ReadWriteOnce", BLOCK), "does not offer ReadWriteMany"),
        (
            template(storageClassName="s", volumeMode=FILESYSTEM),
            ("ReadWriteMany", BLOCK),
            "volumeMode Block, not Filesystem",
        ),
        (template(storageClassName="s"), ("ReadWriteMany", BLOCK), ""),
        (template(storageClassName="s", volumeMode=BLOCK), ("ReadWriteMany", BLOCK), ""),
        (template(storageClassName="other"), ("ReadWriteOnce", BLOCK), ""),
        (template(), ("ReadWriteOnce", BLOCK), "does not offer ReadWriteMany"),
    ],
)
def test_a_storage_profile_must_offer_what_is_asked(machine: Manifest, offered: tuple[str, str], words: str) -> None:
    """
    The profile of the named class, or of the default class, is compared with access mode and volume mode.
    """
    default = storage_class("s", "x")
    default["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    others = storage_profile("s", offered[0], volume_mode=offered[1]), default, storage_class("other", "x")

    if words:
        assert says(words, machine, *others)
    else:
        assert found(machine, *others) == []


def test_the_profile_of_an_existing_claim_does_not_matter() -> None:
    """
    A bound PVC got its volume already.
    """
    assert found(vm(ON_C), rwx(volume="pv"), storage_profile("s", "ReadWriteOnce"), storage_class("s", "x")) == []


def test_an_ephemeral_volume_needs_its_base_on_both_nodes() -> None:
    """
    The base of an ephemeral volume can be ReadOnlyMany; a local provisioner and a local PersistentVolume serve one node.
    """
    overlay = vm("volumes: [{name: d, ephemeral: {persistentVolumeClaim: {claimName: c}}}]")
    many: Manifest = claim("c", "ReadOnlyMany")
    many["spec"] |= {"storageClassName": "s", "volumeName": "pv"}

    assert says("keeps each volume", overlay, many, storage_class("s", "topolvm.io"))
    assert says("only node 'n1'", overlay, many, persistent_volume("pv", "n1"))
    assert found(overlay, many, storage_class("s", "rbd.csi.ceph.com")) == []


def test_a_class_without_provisioner_leaves_the_decision_to_the_volume() -> None:
    """
    Such a class is usual for local volumes and possible for shared ones. With the PersistentVolume, the result is known.
    """
    static = storage_class("s", "kubernetes.io/no-provisioner")

    assert [undetermined for _, undetermined, _ in found(vm(ON_C), rwx(), static)] == [True]
    assert found(vm(ON_C), rwx(volume="pv"), static, volume("pv", nfs={"server": "x", "path": "/"})) == []
    assert says("only node", vm(ON_C), rwx(volume="pv"), static, persistent_volume("pv", "n1"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.names[0])
def test_a_row_has_a_source_and_a_date(row: Any) -> None:
    """
    A row that shares every volume in both modes says nothing, and would be dead.
    """
    assert row.source
    assert row.read >= "2026-01-01"
    name = row.names[0].lstrip(".")
    assert any(limit_of(name, {}, "s", mode) for mode in (BLOCK, FILESYSTEM)) or row.filesystem is not None
    assert json.dumps(row.names)


def test_a_provisioner_is_in_one_row() -> None:
    """
    Otherwise the order of the table would decide.
    """
    names = [name for row in TABLE for name in row.names]

    assert len(names) == len(set(names))
    assert all(row_of(name.lstrip(".")) is row for row in TABLE for name in row.names)
