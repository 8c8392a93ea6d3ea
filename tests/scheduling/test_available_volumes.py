"""The choice of an available volume by the plugin VolumeBinding."""

from typing import Any

import pytest

from tests.scheduling.building import (
    CONFLICT,
    FAST,
    NO_VOLUME,
    ON_N1,
    STATIC,
    available,
    claim,
    disk,
    node,
    pod,
    sized,
    state,
    storage_class,
    verdicts,
    volume,
)


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
