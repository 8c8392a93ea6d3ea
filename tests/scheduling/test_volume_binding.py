"""Node fit by the plugin VolumeBinding, and claims that make a pod unschedulable."""

from typing import Any

import pytest

from tests.scheduling.building import (
    BOUND,
    CONFLICT,
    FAST,
    NO_VOLUME,
    ON_N1,
    available,
    capacity,
    claim,
    csi_driver,
    csi_node,
    disk,
    expression,
    node,
    node_terms,
    pod,
    shown,
    sized,
    state,
    storage_class,
    verdicts,
    volume,
)

NO_SPACE = "node(s) did not have enough free storage"
IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"


def test_only_nodes_that_match_the_node_affinity_of_the_volume_fit() -> None:
    cluster = state([node("n1"), node("n2")], claims=[claim(volume="pv")], volumes=[volume(nodeAffinity=ON_N1)])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": CONFLICT}


def test_one_of_several_volumes_can_exclude_a_node() -> None:
    both = [*disk("shared"), {"name": "b", "persistentVolumeClaim": {"claimName": "local"}}]
    cluster = state(
        [node("n1"), node("n2")],
        claims=[claim("shared", "pv-shared"), claim("local", "pv-local")],
        volumes=[volume("pv-shared"), volume("pv-local", nodeAffinity=ON_N1)],
    )
    assert verdicts(cluster, pod(volumes=both)) == {"n1": "fits", "n2": CONFLICT}


def test_a_csi_volume_is_compared_on_nodes_that_translate_others() -> None:
    migrated = {"annotations": {"storage.alpha.kubernetes.io/migrated-plugins": "kubernetes.io/aws-ebs"}}
    cluster = state(
        [node("n1"), node("n2")],
        claims=[claim(volume="pv")],
        volumes=[volume(nodeAffinity=ON_N1, csi={"driver": "csi", "volumeHandle": "h"})],
        csi_nodes=[csi_node(name, meta=migrated) for name in ("n1", "n2")],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": CONFLICT}


def test_match_fields_of_a_volume_have_no_effect() -> None:
    fields = node_terms({"matchFields": [expression("metadata.name", "In", "n1")]})
    cluster = state([node("n1"), node("n2")], claims=[claim(volume="pv")], volumes=[volume(nodeAffinity=fields)])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": "fits"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], 'persistentvolumeclaim "disk" not found'),
        ([claim()], IMMEDIATE),
        ([claim(storageClassName="slow")], IMMEDIATE),
        ([claim(storageClassName="absent")], IMMEDIATE),
        ([claim(volumeName="pv", **FAST)], IMMEDIATE),
        ([claim(volume="absent")], 'persistentvolume "absent" not found'),
        (
            [claim(volume="pv", meta={"annotations": BOUND, "deletionTimestamp": "2026-01-01T00:00:00Z"})],
            'persistentvolumeclaim "disk" is being deleted',
        ),
    ],
)
def test_a_pod_whose_claim_cannot_be_used_is_unschedulable(given: list[Any], reason: str) -> None:
    classes = [storage_class(), storage_class("slow", "Immediate")]
    fit = state([node("n1"), node("n2")], claims=given, volumes=[volume()], storage_classes=classes).fit(
        pod(volumes=disk())
    )
    assert fit.message() == f"0/2 nodes are available: {reason}."
    assert fit.reasons() == {reason: 2}
    assert {name: shown(verdict) for name, verdict in fit.verdicts().items()} == {"n1": reason, "n2": reason}
    assert fit.fitting() == []


def test_a_lost_claim_makes_a_pod_unschedulable() -> None:
    lost = claim(volume="pv", phase="Lost")
    fit = state([node()], claims=[lost], volumes=[volume()]).fit(pod(volumes=disk()))
    assert fit.message() == (
        '0/1 nodes are available: persistentvolumeclaim "disk" bound to non-existent persistentvolume "pv".'
    )


def test_the_claim_of_an_ephemeral_volume_must_exist_and_belong_to_the_pod() -> None:
    ephemeral = pod("p", volumes=[{"name": "scratch", "ephemeral": {}}], meta={"uid": "u1"})
    missing = state([node()]).fit(ephemeral)
    assert missing.message() == (
        '0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch".'
    )
    stranger = state([node()], claims=[claim("p-scratch", "pv")], volumes=[volume()]).fit(ephemeral)
    assert stranger.message() == (
        "0/1 nodes are available: PVC default/p-scratch was not created for pod default/p (pod is not owner)."
    )
    owner = {"kind": "Pod", "name": "p", "uid": "u1", "controller": True}
    for change, fits in (({}, True), ({"uid": "u2"}, False), ({"controller": False}, False)):
        own = claim("p-scratch", "pv", meta={"annotations": BOUND, "ownerReferences": [owner | change]})
        found = state([node()], claims=[own], volumes=[volume()]).fit(ephemeral).fitting()
        assert found == (["n1"] if fits else [])


def test_a_missing_volume_of_an_ephemeral_claim_excludes_all_nodes() -> None:
    owner = {"kind": "Pod", "name": "p", "uid": "u1", "controller": True}
    own = claim("p-scratch", "absent", meta={"annotations": BOUND, "ownerReferences": [owner]})
    ephemeral = pod("p", volumes=[{"name": "scratch", "ephemeral": {}}], meta={"uid": "u1"})
    assert verdicts(state([node()], claims=[own]), ephemeral) == {
        "n1": "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    }


def test_a_provisioner_creates_a_volume_in_the_allowed_topologies() -> None:
    allowed = [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "b"]}]}]
    cluster = state(
        [node("n1", {"zone": "a"}), node("n2", {"zone": "c"}), node("n3")],
        claims=[claim(**FAST)],
        storage_classes=[storage_class(allowedTopologies=allowed)],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": NO_VOLUME, "n3": NO_VOLUME}


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([], "fits"),
        ([{}], NO_VOLUME),
        ([{}, {"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}], "fits"),
        ([{"matchLabelExpressions": [{"key": "zone"}]}], NO_VOLUME),
        (
            [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}, {"key": "rack", "values": ["r"]}]}],
            NO_VOLUME,
        ),
    ],
)
def test_a_topology_term_needs_all_its_labels(allowed: Any, expected: str) -> None:
    classes = [storage_class(allowedTopologies=allowed)]
    cluster = state([node("n1", {"zone": "a"})], claims=[claim(**FAST)], storage_classes=classes)
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_claim_with_a_selected_node_fits_only_that_node() -> None:
    selected = claim(meta={"annotations": {"volume.kubernetes.io/selected-node": "n2"}}, **FAST)
    cluster = state([node("n1"), node("n2")], claims=[selected], storage_classes=[storage_class()])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": NO_VOLUME, "n2": "fits"}


def test_a_driver_with_storage_capacity_needs_free_capacity_near_the_node() -> None:
    capacities = [
        capacity({"zone": "a"}, capacity="10Gi"),
        capacity({"zone": "b"}, capacity="1Gi"),
        capacity({"zone": "c"}, capacity="10Gi", maximumVolumeSize="1Gi"),
    ]
    cluster = state(
        [node(zone, {"zone": zone}) for zone in "abcd"],
        claims=[claim(**FAST, **sized("2Gi"))],
        storage_classes=[storage_class()],
        csi_drivers=[csi_driver("csi.example", storageCapacity=True)],
        storage_capacities=capacities,
    )
    assert verdicts(cluster, pod(volumes=disk())) == {
        "a": "fits",
        **dict.fromkeys("bcd", NO_SPACE),
    }


@pytest.mark.parametrize(
    ("drivers", "capacities", "expected"),
    [
        ([csi_driver("csi.example")], None, "fits"),
        ([csi_driver("csi.example", storageCapacity=False)], [], "fits"),
        ([], None, "fits"),
        ([csi_driver("csi.example", storageCapacity=True)], [], NO_SPACE),
        (
            [csi_driver("csi.example", storageCapacity=True)],
            None,
            "unknown: CSIStorageCapacities were not provided",
        ),
        ([csi_driver("csi.example", storageCapacity=True)], [capacity({}, capacity="2Gi")], "fits"),
        ([csi_driver("csi.example", storageCapacity=True)], [capacity({})], NO_SPACE),
        (
            [csi_driver("csi.example", storageCapacity=True)],
            [capacity({}, capacity="2Gi", storageClassName="slow")],
            NO_SPACE,
        ),
    ],
)
def test_free_capacity_matters_only_for_drivers_that_report_it(drivers: Any, capacities: Any, expected: str) -> None:
    cluster = state(
        [node()],
        claims=[claim(**FAST, **sized("2Gi"))],
        storage_classes=[storage_class()],
        csi_drivers=drivers,
        storage_capacities=capacities,
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


@pytest.mark.parametrize(
    ("missing", "claims", "reason"),
    [
        ("claims", None, "PersistentVolumeClaim default/disk"),
        ("volumes", [claim(volume="pv")], "PersistentVolume pv"),
        ("storage_classes", [claim(**FAST)], "StorageClass fast"),
        ("csi_drivers", [claim(**FAST, **sized("1Gi"))], "CSIDriver csi.example"),
    ],
)
def test_a_missing_fact_about_a_claim_is_unknown_and_named(missing: str, claims: Any, reason: str) -> None:
    kinds: dict[str, Any] = {"claims": claims, "storage_classes": [storage_class()]} | {missing: None}
    cluster = state([node("n1"), node("n2", unschedulable=True)], **kinds)
    assert verdicts(cluster, pod(volumes=disk())) == {
        "n1": f"unknown: {reason} was not provided",
        "n2": "node(s) were unschedulable",
    }
    assert verdicts(cluster, pod())["n1"] == "fits"


def test_a_claim_is_unknown_where_the_claims_are_incomplete() -> None:
    cluster = state([node()], claims=[claim("other", "pv")], incomplete=["PersistentVolumeClaim"])
    assert verdicts(cluster, pod(volumes=disk())) == {
        "n1": "unknown: PersistentVolumeClaim default/disk was not provided"
    }


@pytest.mark.parametrize(
    ("nodes", "affinity", "expected"),
    [
        (["kubernetes.io/aws-ebs"], {}, "fits"),
        (
            ["kubernetes.io/aws-ebs"],
            {"nodeAffinity": ON_N1},
            "unknown: PersistentVolume pv is translated to a CSI volume",
        ),
        ([""], {"nodeAffinity": ON_N1}, "fits"),
        ([], {"nodeAffinity": ON_N1}, "fits"),
        (None, {"nodeAffinity": ON_N1}, "unknown: CSINode n1 was not provided"),
    ],
)
def test_an_in_tree_volume_with_node_affinity_is_unknown_on_nodes_that_translate_it(
    nodes: list[str] | None, affinity: dict[str, Any], expected: str
) -> None:
    annotation = "storage.alpha.kubernetes.io/migrated-plugins"
    drivers = None if nodes is None else [csi_node("n1", meta={"annotations": {annotation: text}}) for text in nodes]
    in_tree = volume(awsElasticBlockStore={}, **affinity)
    cluster = state([node()], claims=[claim(volume="pv")], volumes=[in_tree], csi_nodes=drivers)
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_claim_that_a_placed_pod_binds_is_unknown_until_the_placement_is_undone() -> None:
    taken = "unknown: the volume of claim default/{} depends on a pod that is placed before"
    claims = [claim(**FAST), claim("other", **FAST), claim("slow", storageClassName="slow")]
    classes = [storage_class(), storage_class("slow")]
    cluster = state([node()], claims=claims, volumes=[available("pv")], storage_classes=classes)
    with cluster.tentatively():
        cluster.place(pod("placed", volumes=disk()), "n1")
        cluster.place(pod("second", volumes=disk()), "n1")
        cluster.undo(1)
        assert verdicts(cluster, pod(volumes=disk())) == {"n1": taken.format("disk")}
        assert verdicts(cluster, pod(volumes=disk("other"))) == {"n1": taken.format("other")}
        assert verdicts(cluster, pod(volumes=disk("slow"))) == {"n1": "fits"}
    for name in ("disk", "other", "slow"):
        assert verdicts(cluster, pod(volumes=disk(name))) == {"n1": "fits"}
