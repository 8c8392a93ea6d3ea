"""Node fit by the plugin VolumeBinding, and claims that make a pod unschedulable."""

from typing import Any

import pytest

from tests.scheduling.building import (
    BOUND,
    HOST,
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
    state,
    storage_class,
    verdicts,
    volume,
)

CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
ON_N1 = node_terms({"matchExpressions": [expression(HOST, "In", "n1")]})
FAST = {"storageClassName": "fast"}
STATIC = {"provisioner": "kubernetes.io/no-provisioner"}


def sized(size: str) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}}


def available(name: str, **more: Any) -> Any:
    spec = {"accessModes": ["ReadWriteMany"], "capacity": {"storage": "10Gi"}, "storageClassName": "fast"}
    return volume(name, phase=more.pop("phase", "Available"), labels=more.pop("labels", {}), **(spec | more))


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


def test_an_available_volume_is_bound_on_the_nodes_that_it_allows() -> None:
    cluster = state(
        [node("n1"), node("n2")],
        claims=[claim(**FAST)],
        volumes=[available("pv", nodeAffinity=ON_N1)],
        storage_classes=[storage_class(**STATIC)],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": NO_VOLUME}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "fits"),
        ({"capacity": {"storage": "1Gi"}}, NO_VOLUME),
        ({"accessModes": ["ReadWriteOnce"]}, NO_VOLUME),
        ({"volumeMode": "Block"}, NO_VOLUME),
        ({"volumeMode": "Filesystem"}, "fits"),
        ({"storageClassName": "slow"}, NO_VOLUME),
        ({"phase": "Released"}, NO_VOLUME),
        ({"volumeAttributesClassName": "gold"}, NO_VOLUME),
        ({"claimRef": {"namespace": "default", "name": "disk"}, "phase": "Pending"}, "fits"),
        ({"claimRef": {"namespace": "default", "name": "disk", "uid": "other"}}, NO_VOLUME),
        ({"claimRef": {"namespace": "default", "name": "other"}}, NO_VOLUME),
        ({"claimRef": {"namespace": "other", "name": "disk"}}, NO_VOLUME),
        ({"capacity": {"storage": "2Gi"}}, "fits"),
        ({"capacity": None}, NO_VOLUME),
        ({"capacity": {"storage": "much"}}, NO_VOLUME),
        ({"accessModes": None}, NO_VOLUME),
        ({"nodeAffinity": {}}, "fits"),
        ({"nodeAffinity": {"required": {}}}, NO_VOLUME),
        ({"phase": ""}, NO_VOLUME),
    ],
)
def test_an_available_volume_must_suit_the_claim(spec: dict[str, Any], expected: str) -> None:
    cluster = state(
        [node()],
        claims=[claim(**FAST, **sized("2Gi"))],
        volumes=[available("pv", **spec)],
        storage_classes=[storage_class(**STATIC)],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_claim_asks_for_its_own_mode_and_attributes() -> None:
    wanted = claim(volumeMode="Block", volumeAttributesClassName="gold", **FAST)
    for spec, expected in (
        ({"volumeMode": "Block", "volumeAttributesClassName": "gold"}, "fits"),
        ({"volumeMode": "Block"}, NO_VOLUME),
        ({"volumeAttributesClassName": "gold"}, NO_VOLUME),
    ):
        cluster = state(
            [node()], claims=[wanted], volumes=[available("pv", **spec)], storage_classes=[storage_class(**STATIC)]
        )
        assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_claim_reference_with_a_uid_names_one_claim() -> None:
    wanted = claim(meta={"uid": "u1"}, **FAST)
    for uid, expected in (("u1", "fits"), ("", "fits"), ("u2", NO_VOLUME)):
        reserved = available("pv", claimRef={"namespace": "default", "name": "disk", "uid": uid})
        cluster = state([node()], claims=[wanted], volumes=[reserved], storage_classes=[storage_class(**STATIC)])
        assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_the_storage_class_in_an_annotation_comes_first() -> None:
    beta = {"annotations": {"volume.beta.kubernetes.io/storage-class": "fast"}}
    old = claim(meta=beta, storageClassName="absent")
    cluster = state([node()], claims=[old], volumes=[available("pv")], storage_classes=[storage_class(**STATIC)])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits"}


def test_without_volumes_a_claim_that_no_provisioner_serves_is_unknown() -> None:
    cluster = state([node()], claims=[claim(**FAST)], volumes=None, storage_classes=[storage_class(**STATIC)])
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "unknown: PersistentVolumes were not provided"}
    provisioned = state([node()], claims=[claim(**FAST)], volumes=None, storage_classes=[storage_class()])
    assert verdicts(provisioned, pod(volumes=disk())) == {"n1": "fits"}


def test_an_unusable_volume_does_not_hide_a_usable_one() -> None:
    small = available("small", capacity={"storage": "1Gi"})
    cluster = state(
        [node()],
        claims=[claim(**FAST, **sized("2Gi"))],
        volumes=[small, available("pv")],
        storage_classes=[storage_class(**STATIC)],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits"}


def test_reasons_about_bound_and_unbound_claims_are_reported_together() -> None:
    both = [*disk("bound"), {"name": "b", "persistentVolumeClaim": {"claimName": "unbound"}}]
    cluster = state(
        [node("n1"), node("n2")],
        claims=[claim("bound", "pv"), claim("unbound", **FAST)],
        volumes=[volume(nodeAffinity=ON_N1)],
        storage_classes=[storage_class(**STATIC)],
    )
    assert verdicts(cluster, pod(volumes=both)) == {"n1": NO_VOLUME, "n2": f"{CONFLICT}, {NO_VOLUME}"}


def test_a_claim_can_choose_a_volume_while_another_is_provisioned() -> None:
    both = [*disk("static"), {"name": "b", "persistentVolumeClaim": {"claimName": "selected"}}]
    selected = {"annotations": {"volume.kubernetes.io/selected-node": "n1"}}
    claims = [claim("static", **FAST), claim("selected", meta=selected, storageClassName="dynamic")]
    for provisioner, expected in (("csi.example", "fits"), ("", NO_VOLUME)):
        classes = [storage_class(**STATIC), storage_class("dynamic", provisioner=provisioner)]
        cluster = state([node("n1")], claims=claims, volumes=[available("pv")], storage_classes=classes)
        assert verdicts(cluster, pod(volumes=both)) == {"n1": expected}


def test_a_claim_can_select_volumes_by_label() -> None:
    wanted = claim(selector={"matchLabels": {"tier": "gold"}}, **FAST)
    for labels, expected in (({"tier": "gold"}, "fits"), ({}, NO_VOLUME)):
        cluster = state(
            [node()],
            claims=[wanted],
            volumes=[available("pv", labels=labels)],
            storage_classes=[storage_class(**STATIC)],
        )
        assert verdicts(cluster, pod(volumes=disk())) == {"n1": expected}


def test_a_volume_that_is_reserved_for_the_claim_is_the_only_one_that_it_can_use() -> None:
    reserved = available("pv", claimRef={"namespace": "default", "name": "disk"}, nodeAffinity=ON_N1)
    cluster = state(
        [node("n1"), node("n2")],
        claims=[claim(**FAST)],
        volumes=[available("other"), reserved],
        storage_classes=[storage_class(**STATIC)],
    )
    assert verdicts(cluster, pod(volumes=disk())) == {"n1": "fits", "n2": NO_VOLUME}


@pytest.mark.parametrize("order", [("large", "small"), ("small", "large")])
def test_the_smaller_claim_chooses_first(order: tuple[str, str]) -> None:
    claims = [claim("large", selector={"matchLabels": {"tier": "gold"}}, **FAST, **sized("2Gi"))]
    claims.append(claim("small", **FAST, **sized("1Gi")))
    volumes = [available("a", labels={"tier": "gold"}, capacity={"storage": "3Gi"}), available("b")]
    cluster = state([node()], claims=claims, volumes=volumes, storage_classes=[storage_class(**STATIC)])
    named = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in order]
    assert verdicts(cluster, pod(volumes=named)) == {"n1": NO_VOLUME}


def test_two_claims_of_a_pod_need_two_volumes_and_the_smaller_claim_takes_the_smaller_volume() -> None:
    volumes = [*disk("large"), {"name": "b", "persistentVolumeClaim": {"claimName": "small"}}]
    claims = [claim("large", **FAST, **sized("8Gi")), claim("small", **FAST, **sized("1Gi"))]
    static = [storage_class(**STATIC)]
    one = state([node()], claims=claims, volumes=[available("pv")], storage_classes=static)
    assert verdicts(one, pod(volumes=volumes)) == {"n1": NO_VOLUME}
    two = [available("pv"), available("pv-small", capacity={"storage": "1Gi"})]
    assert verdicts(state([node()], claims=claims, volumes=two, storage_classes=static), pod(volumes=volumes)) == {
        "n1": "fits"
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
