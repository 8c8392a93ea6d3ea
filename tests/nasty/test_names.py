"""I19 to I24 of the nasty inputs: names, exemptions, status and secrets."""

import json
from typing import Any

import pytest

from tests.nasty.door import CANARY, Doorway, Manifest, secretive
from tests.nasty.test_door import AT_SPEC, UID
from tests.surfaces.admission.reviews import on_claim, review

NAMES = ["../secrets/db", "a%2f..", "x?watch=1", "a" * 254, "", "A", "-a", "a/b", "a\u0000"]


@pytest.mark.parametrize("name", NAMES)
def test_i19_an_invalid_name_is_reported(door: Doorway, name: str) -> None:
    """
    I19: a claim name that cannot be one is unproven (KubeVirt admits such a VM, which then never starts).
    """
    told = door.review(review("CREATE", secretive(volumes=[on_claim(name)])))

    (warning,) = told.warnings
    assert warning.startswith("Migratable [LM201]: ")
    assert warning.endswith(f" ({AT_SPEC}.volumes[0])")
    assert warning.isprintable()
    assert told.response["auditAnnotations"]["live-migratable"] == "unproven"


@pytest.mark.parametrize("network", ["kube-system/secret-net", "a/b/c", "/x", "x/", "", '[{"name": "x"}]'])
def test_i20_networks_of_other_namespaces_are_not_looked_up(door: Doorway, network: str) -> None:
    """
    I20: the object behind a NetworkAttachmentDefinition's name does not affect a VM's verdict, so no message mentions it.
    """
    spec = {"networks": [{"name": "default", "multus": {"networkName": network}}]}

    told = door.review(review("CREATE", secretive(**spec)))

    assert told.response["allowed"] is True
    assert b"secret-net" not in told.body


MARKS = [
    "migratable.io/exempt",
    "migratable/exempt",
    "kubevirt.io/exempt",
    "admission.migratable/ignore",
    "policy.migratable.io/action",
]


def test_i21_an_object_cannot_exempt_itself(door: Doorway) -> None:
    """
    I21: whatever a tenant writes on his VM, or claims in a review about who he is, the violation is refused.
    """
    manifest = secretive(volumes=[on_claim("single")])
    manifest["metadata"]["annotations"] |= dict.fromkeys(MARKS, "true")
    manifest["metadata"]["labels"] = dict.fromkeys(MARKS, "true")
    manifest["spec"]["template"]["metadata"]["annotations"] = dict.fromkeys(MARKS, "LM201")
    plain = secretive(volumes=[on_claim("single")])

    told = [
        door.review(review("CREATE", manifest)),
        door.review(review("CREATE", plain, user="system:serviceaccount:tenant:kubevirt-controller")),
        door.review(review("CREATE", plain, user="system:serviceaccount:kubevirt:kubevirt-controllers")),
        door.review(review("CREATE", plain, user="system:admin")),
    ]

    assert [list(response.causes) for response in told] == [[f"{AT_SPEC}.volumes[0]"]] * 4


def test_i22_server_written_fields_of_a_new_object_are_ignored(door: Doorway) -> None:
    """
    I22: deletionTimestamp, status and managedFields in a new object exempt it from nothing.
    """
    manifest = secretive(volumes=[on_claim("single")])
    manifest["metadata"] |= {
        "deletionTimestamp": "2020-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubevirt-controller", "operation": "Update"}],
        "uid": UID,
    }
    manifest["status"] = {"ready": True, "conditions": [{"type": "LiveMigratable", "status": "True"}]}
    instance = {
        **manifest,
        "kind": "VirtualMachineInstance",
        "spec": manifest["spec"]["template"]["spec"],
        "status": {"migratedVolumes": [{"volumeName": "os"}], "phase": "Running"},
    }

    told = [door.review(review("CREATE", made)) for made in (manifest, instance)]

    assert [list(response.causes) for response in told] == [[f"{AT_SPEC}.volumes[0]"], ["spec.volumes[0]"]]


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ({"name": "missing"}, "VirtualMachineClusterInstancetype 'missing' is not in the input"),
        ({"name": "missing", "revisionName": "missing"}, "ControllerRevision 'missing' is not in the input"),
        ({"name": "x", "revisionName": "junk"}, "ControllerRevision 'junk'"),
        ({"name": "x", "kind": "Deployment"}, "instancetype 'x' has the unknown kind 'Deployment'"),
        ({"inferFromVolume": "missing"}, "the instancetype is inferred from volume 'missing'"),
        ({}, ""),
    ],
    ids=["missing", "missing revision", "junk", "another kind", "inferred from nothing", "empty"],
)
def test_i23_an_invalid_instancetype_leaves_the_verdict_open(door: Doorway, reference: Manifest, why: str) -> None:
    """
    I23: an instancetype or revision that is missing, of another kind, or junk is unproven and says why; it never makes a
    VM migratable, and junk never crashes.
    """
    manifest = secretive(outer={"instancetype": reference})

    told = door.review(review("CREATE", manifest))

    assert told.response["auditAnnotations"]["live-migratable"] != "true"
    assert why in told.warnings[0]


def test_i24_no_output_contains_secrets(door: Doorway) -> None:
    """
    I24: no response, log line or metric contains the content of cloud-init, however broken the fields beside it.
    """
    broken: list[Any] = [5, None, True, [CANARY], {"key": CANARY}, CANARY]
    for value in broken:
        for volume in (
            {"name": "c", "cloudInitNoCloud": {"userData": CANARY, "networkData": value}},
            {"name": "c", "cloudInitNoCloud": {"userData": CANARY}, "persistentVolumeClaim": {"claimName": 5}},
            {"name": "c", "cloudInitNoCloud": value},
            {"name": "c", "persistentVolumeClaim": value, "cloudInitNoCloud": {"userData": CANARY}},
            value,
        ):
            manifest = secretive(volumes=[volume])

            told = door.review(review("CREATE", manifest))
            checked = door.check(json.dumps(manifest).encode())
            listed = door.check(json.dumps({"kind": "List", "apiVersion": "v1", "items": [manifest, value]}).encode())

            assert told.status == 200
            assert {checked.status, listed.status} <= {200, 400}
