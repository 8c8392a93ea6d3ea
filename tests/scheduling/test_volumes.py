"""Node fit by the volume plugins VolumeRestrictions, NodeVolumeLimits and VolumeZone."""

from typing import Any

import pytest

from tests.scheduling.building import (
    BOUND,
    ZONE,
    attachment,
    claim,
    csi_node,
    disk,
    node,
    pod,
    state,
    storage_class,
    verdicts,
    volume,
)

IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
FULL = "node(s) exceed max volume count"
NO_DISK = "node(s) had no available disk"
NO_ZONE = "node(s) had no available volume zone"


def csi(name: str, driver: str = "csi") -> object:
    return volume(name, csi={"driver": driver, "volumeHandle": f"handle-{name}"})


def test_a_read_write_once_pod_claim_in_use_excludes_all_nodes() -> None:
    once = claim(volume="pv", accessModes=["ReadWriteOncePod"])
    cluster = state([node("n1"), node("n2")], [pod("user", "n1", volumes=disk())], claims=[once], volumes=[volume()])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": IN_USE, "n2": IN_USE}
    cluster.remove(pod("user"))
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": "fits"}


def test_a_claim_with_the_same_name_in_another_namespace_is_another_claim() -> None:
    once = claim(volume="pv", accessModes=["ReadWriteOncePod"])
    other = pod("user", "n1", namespace="other", volumes=disk())
    assert verdicts(state([node()], [other], claims=[once], volumes=[volume()]), pod(volumes=disk())) == {"n1": "fits"}


@pytest.mark.parametrize(
    ("first", "second", "conflicts"),
    [
        ({"gcePersistentDisk": {"pdName": "a"}}, {"gcePersistentDisk": {"pdName": "a"}}, True),
        (
            {"gcePersistentDisk": {"pdName": "a", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "a", "readOnly": True}},
            False,
        ),
        ({"gcePersistentDisk": {"pdName": "a"}}, {"gcePersistentDisk": {"pdName": "b"}}, False),
        (
            {"awsElasticBlockStore": {"volumeID": "a", "readOnly": True}},
            {"awsElasticBlockStore": {"volumeID": "a", "readOnly": True}},
            True,
        ),
        ({"iscsi": {"iqn": "a"}}, {"iscsi": {"iqn": "a", "readOnly": True}}, True),
        ({"rbd": {"monitors": ["m1", "m2"], "image": "i"}}, {"rbd": {"monitors": ["m2"], "image": "i"}}, True),
        ({"rbd": {"monitors": ["m1"], "image": "i"}}, {"rbd": {"monitors": ["m2"], "image": "i"}}, False),
        ({"rbd": {"monitors": ["m"], "image": "i"}}, {"rbd": {"monitors": ["m"], "image": "i", "pool": "p"}}, False),
        ({"iscsi": {"iqn": "a"}}, {"gcePersistentDisk": {"pdName": "a"}}, False),
        ({"gcePersistentDisk": {"pdName": "a"}}, {"iscsi": {"iqn": "a"}}, False),
        ({"gcePersistentDisk": {"pdName": "a", "readOnly": True}}, {"gcePersistentDisk": {"pdName": "a"}}, True),
        ({"gcePersistentDisk": {"pdName": "a"}}, {"gcePersistentDisk": {"pdName": "a", "readOnly": True}}, True),
        ({"awsElasticBlockStore": {"volumeID": "a"}}, {"awsElasticBlockStore": {"volumeID": "b"}}, False),
        ({"awsElasticBlockStore": {"volumeID": "a"}}, {"rbd": {"monitors": ["m"]}}, False),
        ({"rbd": {"monitors": ["m"]}}, {"awsElasticBlockStore": {"volumeID": "a"}}, False),
        ({"iscsi": {"iqn": "a"}}, {"iscsi": {"iqn": "b"}}, False),
        ({"iscsi": {"iqn": "a", "readOnly": True}}, {"iscsi": {"iqn": "a"}}, True),
        ({"iscsi": {"iqn": "a", "readOnly": True}}, {"iscsi": {"iqn": "a", "readOnly": True}}, False),
        ({"rbd": {"image": "i"}}, {"rbd": {"image": "i"}}, False),
        ({"rbd": {"monitors": ["m"], "readOnly": True}}, {"rbd": {"monitors": ["m"]}}, True),
        ({"rbd": {"monitors": ["m"]}}, {"rbd": {"monitors": ["m"], "readOnly": True}}, True),
        ({"rbd": {"monitors": ["m"], "readOnly": True}}, {"rbd": {"monitors": ["m"], "readOnly": True}}, False),
        ({"emptyDir": {}}, {"emptyDir": {}}, False),
    ],
)
def test_pods_that_name_the_same_disk_are_kept_apart(
    first: dict[str, Any], second: dict[str, Any], conflicts: bool
) -> None:
    cluster = state([node("n1"), node("n2")], [pod("a", "n1", volumes=[first])])
    assert verdicts(cluster, pod(volumes=[second])) == {"n1": NO_DISK if conflicts else "fits", "n2": "fits"}


def attached(count: int, limit: int, **kinds: Any) -> Any:
    """A node with ``count`` pods that have a CSI volume each, and a claim ``new``."""
    names = [f"v{at}" for at in range(count)]
    pods = [pod(name, "n1", volumes=disk(name)) for name in names]
    claims = [claim(name, f"pv-{name}") for name in (*names, "new", "newer", "attached")]
    volumes = [csi(f"pv-{name}") for name in (*names, "new", "newer", "attached")]
    known = {"claims": claims, "volumes": volumes, "csi_nodes": [csi_node("n1", csi=limit)]} | kinds
    return state([node()], pods, **known)


def test_a_node_attaches_as_many_volumes_of_a_driver_as_its_csi_node_allows() -> None:
    assert verdicts(attached(2, 3), pod(volumes=disk("new"))) == {"n1": "fits"}
    assert verdicts(attached(3, 3), pod(volumes=disk("new"))) == {"n1": FULL}


def test_a_volume_that_is_attached_already_takes_no_more_room() -> None:
    assert verdicts(attached(3, 3), pod(volumes=disk("v0"))) == {"n1": "fits"}


def test_a_driver_without_a_limit_is_not_limited() -> None:
    assert verdicts(attached(3, 3, csi_nodes=[]), pod(volumes=disk("new"))) == {"n1": "fits"}
    assert verdicts(attached(3, 3, csi_nodes=[csi_node("n1", other=0)]), pod(volumes=disk("new"))) == {"n1": "fits"}


def test_two_pods_with_the_same_volume_count_it_once() -> None:
    cluster = attached(2, 3)
    cluster.place(pod("second", volumes=disk("v0")), "n1")
    assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": "fits"}
    cluster.place(pod("third", volumes=disk("new")), "n1")
    assert verdicts(cluster, pod(volumes=disk("v1"))) == {"n1": "fits"}
    assert verdicts(cluster, pod(volumes=disk("newer"))) == {"n1": FULL}
    cluster.remove(pod("v1"))
    assert verdicts(cluster, pod(volumes=disk("newer"))) == {"n1": "fits"}


def test_volume_attachments_without_a_pod_count_too() -> None:
    more = {"attachments": [attachment("csi", "n1", "pv-attached")]}
    assert verdicts(attached(2, 3, **more), pod(volumes=disk("new"))) == {"n1": FULL}
    assert verdicts(attached(2, 3, **more), pod(volumes=disk("attached"))) == {"n1": FULL}
    again = {"attachments": [attachment("csi", "n1", "pv-v0"), attachment("csi", "n2", "pv-attached")]}
    assert verdicts(attached(2, 3, **again), pod(volumes=disk("new"))) == {"n1": "fits"}


def test_a_claim_that_is_not_bound_counts_for_the_provisioner_of_its_class() -> None:
    unbound = claim("new", storageClassName="fast")
    names = [f"v{at}" for at in range(3)]
    claims = [*(claim(name, f"pv-{name}") for name in names), unbound]
    kinds = {"claims": claims, "storage_classes": [storage_class(provisioner="csi")]}
    assert verdicts(attached(3, 3, **kinds), pod(volumes=disk("new"))) == {"n1": FULL}
    assert verdicts(attached(3, 4, **kinds), pod(volumes=disk("new"))) == {"n1": "fits"}


@pytest.mark.parametrize(
    "provisioner",
    [
        "kubernetes.io/aws-ebs",
        "kubernetes.io/azure-disk",
        "kubernetes.io/cinder",
        "kubernetes.io/gce-pd",
        "kubernetes.io/portworx-volume",
    ],
)
def test_a_provisioner_that_kubernetes_translates_is_unknown_on_a_node_with_limits(provisioner: str) -> None:
    unbound = claim("new", storageClassName="fast")
    kinds = {"claims": [unbound], "storage_classes": [storage_class(provisioner=provisioner)]}
    assert verdicts(attached(0, 9, **kinds), pod(volumes=disk("new"))) == {
        "n1": f"unknown: provisioner {provisioner} is translated to a CSI driver"
    }
    assert verdicts(attached(0, 9, csi_nodes=[], **kinds), pod(volumes=disk("new"))) == {"n1": "fits"}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"gcePersistentDisk": {}}, "unknown: PersistentVolume pv-new is translated to a CSI volume"),
        ({"nfs": {}}, "fits"),
        ({"csi": {"driver": "csi"}}, "fits"),
        ({"csi": {"driver": "other", "volumeHandle": "h"}}, "fits"),
        ({"csi": {"driver": "csi", "volumeHandle": "h"}}, FULL),
    ],
)
def test_only_csi_volumes_of_the_driver_count(spec: dict[str, Any], text: str) -> None:
    known = {"volumes": [csi("pv-v0"), volume("pv-new", **spec)]}
    assert verdicts(attached(1, 1, **known), pod(volumes=disk("new"))) == {"n1": text}


@pytest.mark.parametrize("kind", ["gcePersistentDisk", "awsElasticBlockStore"])
def test_a_disk_without_a_claim_that_kubernetes_translates_is_unknown_near_the_limit(kind: str) -> None:
    inline = [{"name": "d", kind: {"pdName": "x", "volumeID": "x"}}]
    cluster = attached(1, 9)
    assert verdicts(cluster, pod(volumes=inline)) == {"n1": "unknown: volume d is translated to a CSI volume"}
    cluster.place(pod("other", volumes=inline), "n1")
    assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": "fits"}
    near = attached(1, 2)
    near.place(pod("other", volumes=inline), "n1")
    assert verdicts(near, pod(volumes=disk("new"))) == {"n1": "unknown: volume d is translated to a CSI volume"}


def test_the_least_limit_of_all_nodes_is_not_the_limit_of_each_node() -> None:
    names = ["v0", "v1", "new"]
    pods = [pod(name, on, volumes=disk(name)) for name, on in (("v0", "n1"), ("v1", "n2"))]
    cluster = state(
        [node("n1"), node("n2"), node("n3")],
        pods,
        claims=[claim(name, f"pv-{name}") for name in names],
        volumes=[csi(f"pv-{name}") for name in names],
        csi_nodes=[csi_node("n1", csi=1), csi_node("n2", csi=2, other=0)],
    )
    assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": FULL, "n2": "fits", "n3": "fits"}


def test_volumes_of_two_drivers_have_their_own_limits() -> None:
    both = [*disk("new"), {"name": "b", "persistentVolumeClaim": {"claimName": "foreign"}}]
    claims = [claim(name, f"pv-{name}") for name in ("v0", "new", "foreign")]
    volumes = [csi("pv-v0"), csi("pv-new"), csi("pv-foreign", "other")]
    for limits, expected in (
        ({"csi": 2, "other": 1}, "fits"),
        ({"csi": 1, "other": 1}, FULL),
        ({"csi": 2, "other": 0}, FULL),
    ):
        known = {"claims": claims, "volumes": volumes, "csi_nodes": [csi_node("n1", **limits)]}
        assert verdicts(attached(1, 0, **known), pod(volumes=both)) == {"n1": expected}


def test_an_ephemeral_volume_counts_like_a_claim() -> None:
    owner = {"kind": "Pod", "name": "p", "uid": "u1", "controller": True}
    meta = {"annotations": BOUND, "ownerReferences": [owner]}
    claims = [claim("p-scratch", "pv-new", meta), claim("v0", "pv-v0")]
    ephemeral = pod("p", volumes=[{"name": "scratch", "ephemeral": {}}], meta={"uid": "u1"})
    assert verdicts(attached(1, 1, claims=claims), ephemeral) == {"n1": FULL}
    cluster = attached(1, 2, claims=[*claims, claim("new", "pv-newer")])
    cluster.place(ephemeral, "n1")
    assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": FULL}


def test_a_missing_csi_node_is_unknown_for_a_pod_with_csi_volumes() -> None:
    cluster = attached(1, 3, csi_nodes=None)
    assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": "unknown: CSINode n1 was not provided"}
    assert verdicts(cluster, pod()) == {"n1": "fits"}


def test_an_unknown_claim_of_another_pod_matters_only_near_the_limit() -> None:
    other = pod("other", "n1", volumes=disk("secret"))
    for limit, expected in (
        (3, "fits"),
        (2, "unknown: PersistentVolumeClaim default/secret was not provided"),
        (1, FULL),
    ):
        cluster = attached(1, limit, incomplete=["PersistentVolumeClaim"])
        cluster.place(other, "n1")
        assert verdicts(cluster, pod(volumes=disk("new"))) == {"n1": expected}


def test_a_zone_label_that_cannot_be_read_has_no_effect() -> None:
    for value in ("", "a____b", " "):
        cluster = state([node("n1", {ZONE: "c"})], claims=[claim(volume="pv")], volumes=[volume(labels={ZONE: value})])
        assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [({}, "fits"), ({ZONE: "a"}, "fits"), ({ZONE: "b"}, NO_ZONE), ({"topology.kubernetes.io/region": "a"}, NO_ZONE)],
)
def test_a_node_in_another_zone_than_the_volume_does_not_fit(labels: dict[str, str], expected: str) -> None:
    cluster = state([node("n1", labels)], claims=[claim(volume="pv")], volumes=[volume(labels={ZONE: "a"})])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_volume_can_be_in_several_zones() -> None:
    nodes = [node(zone, {ZONE: zone}) for zone in ("a", "b", "c")]
    cluster = state(nodes, claims=[claim(volume="pv")], volumes=[volume(labels={ZONE: "a__b"})])
    assert verdicts(cluster, pod(volumes=disk())) == {"a": "fits", "b": "fits", "c": NO_ZONE}


def test_the_old_zone_label_of_a_volume_matches_the_new_label_of_a_node() -> None:
    old = volume(labels={"failure-domain.beta.kubernetes.io/zone": "a"})
    cluster = state([node("n1", {ZONE: "a"}), node("n2", {ZONE: "b"})], claims=[claim(volume="pv")], volumes=[old])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": NO_ZONE}
    region = volume(labels={"failure-domain.beta.kubernetes.io/region": "r"})
    nodes = [node("n1", {"topology.kubernetes.io/region": "r"}), node("n2", {ZONE: "b"})]
    cluster = state(nodes, claims=[claim(volume="pv")], volumes=[region])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": NO_ZONE}
