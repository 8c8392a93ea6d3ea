"""The needs of a migration beside the target pod: a claim for the state of the VM, and a pod for hotplugged volumes."""

from typing import Any

import pytest

from tests.drain.fleets import Object, as_fleet, kubevirt, launcher, node, owned, vm, vmi
from webhook.drain.plan import Detail, Machine, Outcome
from webhook.drain.rehearsal import Request, rehearse

TWO = (node("n1"), node("n2"), kubevirt())
PLUGGED = [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk", "hotpluggable": True}}]
TPM = {"devices": {"tpm": {"persistent": True}, "interfaces": [{"name": "default", "masquerade": {}}]}}


def drained(*objects: Object) -> Machine:
    (machine,) = rehearse(as_fleet(objects), Request(("n1",))).nodes[0].machines
    return machine


def quota(resource: str, hard: str, used: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "lab"},
        "spec": {"hard": {resource: hard}},
        "status": {"hard": {resource: hard}, "used": {resource: used}},
    }


@pytest.mark.parametrize(
    ("room", "volumes", "is_refused"), [(1, [], False), (1, PLUGGED, True), (2, PLUGGED, False), (0, [], True)]
)
def test_hotplugged_volumes_need_room_for_one_more_pod(room: int, volumes: list[Object], is_refused: bool) -> None:
    """
    The quota has room for some pods besides the running launcher and its attachment pod.
    """
    machine = drained(*TWO, quota("pods", str(2 + room), "2"), *owned(vmi("vm", "n1", volumes=volumes)))

    assert (machine.outcome, machine.detail) == ((Outcome.WAITS, Detail.QUOTA) if is_refused else (Outcome.MOVES, None))
    assert not (is_refused and volumes) or "pod that attaches the hotplugged volumes" in machine.message


@pytest.mark.parametrize(("volumes", "outcome"), [([], Outcome.MOVES), (PLUGGED, Outcome.WAITS)])
def test_hotplugged_volumes_need_room_on_the_target_node(volumes: list[Object], outcome: Outcome) -> None:
    """
    The node has 210m of CPU. The target pod requests 205m, and the attachment pod 10m.
    """
    machine = drained(
        node("n1"), node("n2", allocatable={"cpu": "210m"}), kubevirt(), *owned(vmi("vm", "n1", volumes=volumes))
    )

    assert machine.outcome is outcome
    assert outcome is Outcome.MOVES or machine.reasons == ("1 Insufficient cpu",)


def state(mode: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "state", "namespace": "lab", "labels": {"persistent-state-for": "vm"}},
        "spec": {"accessModes": [mode], "storageClassName": "fast", "volumeMode": "Filesystem"},
    }


@pytest.mark.parametrize(
    ("mode", "resource", "is_refused"),
    [
        ("ReadWriteOnce", "persistentvolumeclaims", True),
        ("ReadWriteMany", "persistentvolumeclaims", False),
        ("ReadWriteOnce", "fast.storageclass.storage.k8s.io/persistentvolumeclaims", True),
        ("ReadWriteOnce", "slow.storageclass.storage.k8s.io/persistentvolumeclaims", False),
    ],
)
def test_the_state_of_a_vm_needs_a_second_claim_if_nodes_cannot_share_it(
    mode: str, resource: str, is_refused: bool
) -> None:
    """
    The claim counts in the quotas of the default StorageClass, and it is created before the target pod.
    """
    marks = {"storageclass.kubernetes.io/is-default-class": "true"}
    cls = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fast", "annotations": marks},
    }
    cls["provisioner"] = "csi.example.com"
    machine = drained(*TWO, cls, state(mode), quota(resource, "1", "1"), *owned(vmi("vm", "n1", domain=TPM)))

    assert (machine.outcome, machine.detail) == ((Outcome.WAITS, Detail.QUOTA) if is_refused else (Outcome.MOVES, None))
    assert not is_refused or "claim for the state of the VM" in machine.message


@pytest.mark.parametrize(
    ("image_id", "outcome"), [("docker.io/disk@sha256:ab", Outcome.MOVES), ("docker.io/disk:1", Outcome.WAITS)]
)
def test_a_container_disk_without_digest_keeps_the_migration_pending(image_id: str, outcome: Outcome) -> None:
    """
    The status of the running container gives the digest.
    """
    machine = vmi("vm", "n1", volumes=[{"name": "root", "containerDisk": {"image": "docker.io/disk:1"}}])
    owner: dict[str, Any] = vm(machine)
    pod = launcher(machine)
    pod["status"]["containerStatuses"] = [{"name": "volumeroot", "imageID": image_id}]
    pod["status"]["initContainerStatuses"] = pod["status"]["containerStatuses"]
    found = drained(*TWO, owner, machine, pod)

    assert found.outcome is outcome
    assert outcome is Outcome.MOVES or found.detail is Detail.MIGRATION_FAILS
