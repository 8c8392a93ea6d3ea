"""Updates of running VMs and VMIs that pass without a judgement, and the findings about the others."""

from typing import Any

import pytest

from tests.policy.test_hotplug import BASE, at, kubevirt
from tests.surfaces.admission.reviews import VIRT_API, Manifest, claim, decided, on_claim, read, refused, review, vm
from webhook.policy.hotplug import is_about_made_permanent
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.validate import PASS

SHARED, SINGLE = claim("shared", "ReadWriteMany"), claim("single", "ReadWriteOnce")
DENIES = Policy(hotplug=Action.DENY)
CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller"
LEAVING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def hot(name: str, volume: str = "hot") -> Manifest:
    return {"name": volume, "persistentVolumeClaim": {"claimName": name, "hotpluggable": True}}


def instance(*volumes: Manifest, namespace: str = "tenant", **more: Any) -> Manifest:
    machine = vm(volumes=list(volumes))
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": machine["metadata"] | {"namespace": namespace} | more.get("metadata", {}),
        "spec": machine["spec"]["template"]["spec"],
        "status": {"phase": "Running"} | more.get("status", {}),
    }


def asking(*names: str, **metadata: Any) -> Manifest:
    source = {"persistentVolumeClaim": {"claimName": "single"}}
    requests = [{"addVolumeOptions": {"name": name, "volumeSource": source}} for name in names]
    made = vm(status={"volumeRequests": requests})
    return made | {"metadata": made["metadata"] | metadata}


SILENT = {
    "a request of a VM that is being deleted": (asking("hot", **LEAVING), asking(), "status"),
    "the same requests": (asking("hot"), asking("hot"), "status"),
    "a heartbeat": (instance(hot("single"), status={"a": 1}), instance(hot("single")), ""),
    "a VMI that is being deleted": (instance(hot("single"), metadata=LEAVING), instance(), ""),
    "a subresource of a VMI": (instance(hot("single")), instance(), "status"),
    "a VMI of KubeVirt's own namespace": (
        instance(hot("single"), namespace="kubevirt"),
        instance(namespace="kubevirt"),
        "",
    ),
}


@pytest.mark.parametrize(("new", "old", "sub_resource"), SILENT.values(), ids=SILENT)
def test_these_updates_pass_without_a_judgement(new: Manifest, old: Manifest, sub_resource: str) -> None:
    """
    The policy does not matter.
    """
    body = review("UPDATE", new, old, user=VIRT_API, sub_resource=sub_resource)

    assert decided(body, SINGLE, policy=DENIES) == PASS


def test_a_violation_that_the_old_status_hid_is_not_new() -> None:
    """
    The old status of a VMI is ignored like the new one, so a harmless volume can be plugged in.
    """
    info = {"claimName": "single", "accessModes": ["ReadWriteMany"]}
    status = {"volumeStatus": [{"name": "hot", "target": "", "persistentVolumeClaimInfo": info}]}
    old = instance(hot("single"), status=status)
    new = instance(hot("single"), hot("shared", "more"), status=status)

    outcome = decided(review("UPDATE", new, old, user=VIRT_API), SHARED, policy=DENIES)

    assert (outcome.allowed, outcome.decisions) == (True, ())


PERMANENT = on_claim("single", "hot")


@pytest.mark.parametrize("status", [{"created": True}, {}], ids=["running", "stopped"])
@pytest.mark.parametrize("hotplug", [Action.WARN, Action.AUDIT, Action.OFF])
def test_a_plugged_volume_does_not_become_permanent(status: Manifest, hotplug: Action) -> None:
    """
    A volume that `hotplug` admitted is denied as a permanent volume. Other changes and its removal pass.
    """
    old = vm(volumes=[hot("single")], status=status)
    policy = Policy(hotplug=hotplug)

    permanent = decided(review("UPDATE", vm(volumes=[PERMANENT], status=status), old), SINGLE, policy=policy)
    other = decided(
        review("UPDATE", vm(volumes=[hot("single")], hostname="a", status=status), old), SINGLE, policy=policy
    )
    unplugged = decided(review("UPDATE", vm(volumes=[], status=status), old), SINGLE, policy=policy)

    assert list(refused(permanent)) == ["spec.template.spec.volumes[0]"]
    assert (other.allowed, unplugged.allowed) == (True, True)


def test_a_hotpluggable_volume_that_is_older_than_the_policy_may_become_permanent() -> None:
    """
    Under `hotplug: deny` the policy admits no such volume, so one that exists is known harm; so is a permanent one.
    """
    permanent, plugged = vm(volumes=[PERMANENT]), vm(volumes=[hot("single")])
    changed = vm(volumes=[PERMANENT], hostname="a")

    assert decided(review("UPDATE", permanent, plugged), SINGLE, policy=DENIES).allowed
    assert decided(review("UPDATE", changed, permanent), SINGLE).allowed


def test_a_restore_may_make_a_plugged_volume_permanent() -> None:
    """
    virt-controller drops the mark when it replaces a DataVolume without a template by its claim.
    """
    restored = vm(volumes=[PERMANENT])
    restored["metadata"] |= {"annotations": {"restore.kubevirt.io/lastRestoreUID": "a"}}

    assert decided(review("UPDATE", restored, vm(volumes=[hot("single")]), user=CONTROLLER), SINGLE).allowed


def replica_set(*volumes: Manifest) -> Manifest:
    template = vm(volumes=list(volumes))["spec"]["template"]
    return {**vm(), "kind": "VirtualMachineInstanceReplicaSet", "spec": {"template": template}}


def test_a_mark_in_the_template_of_a_replica_set_plugs_nothing() -> None:
    """
    Its VMIs are created with the volume, so ``hotplug`` has no say.
    """
    old, new = replica_set(on_claim("shared")), replica_set(on_claim("shared"), hot("single"))

    outcome = decided(review("UPDATE", new, old), SINGLE, SHARED, policy=Policy(hotplug=Action.WARN))

    assert list(refused(outcome)) == ["spec.template.spec.volumes[1]"]


def test_a_mark_may_be_removed_from_the_template_of_a_replica_set() -> None:
    """
    ``hotplug`` did not admit the volume, so it is no new harm as a permanent one.
    """
    old, new = replica_set(hot("single")), replica_set(PERMANENT)

    assert decided(review("UPDATE", new, old), SINGLE, policy=Policy(hotplug=Action.WARN)).allowed


@pytest.mark.parametrize(
    ("new", "old", "made"),
    [
        (vm(volumes=[PERMANENT]), vm(volumes=[hot("single")]), True),
        (vm(volumes=[]), vm(volumes=[hot("single")]), False),
        (vm(volumes=[hot("single")]), vm(volumes=[hot("single")]), False),
        (vm(volumes=[PERMANENT]), vm(volumes=[PERMANENT]), False),
        (vm(volumes=[PERMANENT]), kubevirt({}), False),
        (kubevirt({}), vm(volumes=[hot("single")]), False),
    ],
    ids=["made permanent", "removed", "still plugged", "permanent before", "no VM before", "no VM now"],
)
def test_a_volume_is_made_permanent_if_its_mark_is_removed(new: Manifest, old: Manifest, made: bool) -> None:
    """
    The finding is about the old object, in which the volume has the mark.
    """
    assert is_about_made_permanent(at(*BASE, "volumes", 0), read(new), read(old)) is made
