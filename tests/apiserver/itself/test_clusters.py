"""Loaded clusters have the objects that their shape describes, and the API server reads all of them."""

from typing import Any

import pytest

from tests.apiserver import crds
from tests.apiserver.clusters.loading import load
from tests.apiserver.clusters.shape import CHECKS, Shape
from tests.apiserver.controlplane import ControlPlane

pytestmark = pytest.mark.apiserver
SHAPE = Shape(200, namespaces=7)


def listed(plane: ControlPlane, path: str) -> list[dict[str, Any]]:
    reply = plane.client.api("GET", path)
    assert reply.status == 200
    items: list[dict[str, Any]] = reply.document["items"]
    return items


def test_a_loaded_cluster_has_the_vms_of_its_shape() -> None:
    """
    Written copies have identities of their own, belong to their own VM, and can be changed as created objects can.
    """
    with ControlPlane(crds=crds.OWN) as plane:
        load(plane, SHAPE)
        machines = listed(plane, "/apis/kubevirt.io/v1/virtualmachines")
        instances = listed(plane, "/apis/kubevirt.io/v1/virtualmachineinstances")
        claims = listed(plane, "/api/v1/persistentvolumeclaims")
        changed = plane.client.kubectl("label", "vm,vmi,pvc", "-A", "--all", "changed=true").stdout

    uids = {one["metadata"]["name"]: one["metadata"]["uid"] for one in machines}
    owners = {one["metadata"]["name"]: one["metadata"]["ownerReferences"][0]["uid"] for one in instances}
    places = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in machines}
    running = sum(variant.is_running for variant in SHAPE.variants)
    assert len(places) == len(set(uids.values())) == SHAPE.vms
    assert places == {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in claims}
    assert len(instances) == running
    assert owners == {name: uids[name] for name in owners}
    assert changed.count(" labeled") == 2 * SHAPE.vms + running


def test_the_number_of_bad_vms_is_exact() -> None:
    """
    A share of 0.2 makes 2,000 of 10,000 VMs violate a check, and each check has many of them.
    """
    counted = Shape(10_000).count()

    assert counted.total() - counted[""] == 2_000
    assert all(counted[check] > 300 for check in CHECKS)
