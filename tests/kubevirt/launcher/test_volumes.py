"""The claims of launcher pods (``rendervolumes.go``, ``backend-storage.go``)."""

from typing import Any

import pytest

from tests.kubevirt.launcher.building import around, claim, release, rendered, vmi
from webhook.facts.unknown import Unknown
from webhook.kubevirt.launcher.volumes import StateClaim, needs_state_claim, state_claim


def test_the_pod_mounts_the_claims_that_are_not_hotplugged() -> None:
    """
    Another pod holds hotplugged volumes.
    """
    volumes = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "one", "readOnly": True}},
        {"name": "b", "dataVolume": {"name": "two"}},
        {"name": "c", "ephemeral": {"persistentVolumeClaim": {"claimName": "three"}}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "four", "hotpluggable": True}},
        {"name": "e", "dataVolume": {"name": "five"}},
        {"name": "f", "memoryDump": {"claimName": "six"}},
    ]
    of = vmi(volumes=volumes, status={"volumeStatus": [{"name": "e", "hotplugVolume": {}}, {"name": "a"}]})
    pod = rendered(of, around(claims=claim("one") | claim("two") | claim("three")))

    sources = [(volume.name, volume.persistent_volume_claim) for volume in pod.volumes]
    assert [(name, source.claim_name, bool(source.read_only)) for name, source in sources if source is not None] == [
        ("a", "one", True),
        ("b", "two", False),
        ("c", "three", False),
    ]


@pytest.mark.parametrize(
    ("version", "domain", "status", "is_needed"),
    [
        ("v1.9.0", {"devices": {"tpm": {"persistent": True}}}, {}, True),
        ("v1.9.0", {"devices": {"tpm": {"persistent": True, "enabled": False}}}, {}, False),
        ("v1.9.0", {"devices": {"tpm": {}}}, {}, False),
        ("v1.9.0", {"firmware": {"bootloader": {"efi": {"persistent": True}}}}, {}, True),
        ("v1.9.0", {}, {"changedBlockTracking": {"state": "Enabled"}}, True),
        ("v1.9.0", {}, {"changedBlockTracking": {"state": "Disabled"}}, False),
        ("v1.6.6", {}, {"changedBlockTracking": {"state": "Enabled"}}, False),
    ],
)
def test_the_state_of_a_vm_is_in_a_claim(
    version: str, domain: dict[str, Any], status: dict[str, Any], is_needed: bool
) -> None:
    """
    A persistent TPM or EFI, or the tracking of changed blocks from 1.7 on, needs the claim.
    """
    assert needs_state_claim(vmi(domain, status), around(version).version) is is_needed


def test_the_claim_with_the_state_has_a_label_or_a_name() -> None:
    """
    The label has precedence, and a claim that is being deleted does not count.
    """
    of = vmi({"devices": {"tpm": {"persistent": True}}})
    labels = {"persistent-state-for": "vm"}
    old = claim("persistent-state-for-vm", "ReadWriteOnce")
    new = claim("state", "ReadWriteMany", labels=labels)
    gone = claim("gone", labels=labels, deletionTimestamp="2026-01-01T00:00:00Z")

    assert state_claim(of, release("v1.9.0"), old | gone | new) == StateClaim("state", is_shared=True)
    assert state_claim(of, release("v1.9.0"), old) == StateClaim("persistent-state-for-vm", is_shared=False)
    assert state_claim(of, release("v1.9.0"), {}) == StateClaim("persistent-state-for-vm", is_shared=False)
    assert state_claim(vmi(), release("v1.9.0"), old) is None


def test_the_status_names_the_claim_with_the_state_if_the_claims_are_not_known() -> None:
    """
    Without a status, the claim has the name of the first releases.
    """
    info = {"claimName": "state", "accessModes": ["ReadWriteMany"]}
    status = {"volumeStatus": [{"name": "persistent-state-for-this-vm", "persistentVolumeClaimInfo": info}]}
    tpm = {"devices": {"tpm": {"persistent": True}}}
    version, claims = release("v1.9.0"), Unknown("x")

    assert state_claim(vmi(tpm, status), version, claims) == StateClaim("state", is_shared=True)
    assert state_claim(vmi(tpm), version, claims) == StateClaim("persistent-state-for-vm", is_shared=False)


@pytest.mark.parametrize(
    ("version", "mode", "is_target", "mounts", "has_new"),
    [
        ("v1.9.0", "ReadWriteOnce", False, ["state"], False),
        ("v1.9.0", "ReadWriteOnce", True, [], True),
        ("v1.9.0", "ReadWriteMany", True, ["state"], False),
        ("v1.3.1", "ReadWriteOnce", True, ["state"], False),
    ],
)
def test_a_target_gets_a_new_claim_for_the_state_if_two_pods_cannot_use_it(
    version: str, mode: str, is_target: bool, mounts: list[str], has_new: bool
) -> None:
    """
    From 1.4 on, KubeVirt creates the new claim before the target pod.
    """
    of = vmi({"devices": {"tpm": {"persistent": True}}})
    where = around(version, claims=claim("state", mode, labels={"persistent-state-for": "vm"}))
    pod = rendered(of, where, is_target=is_target)

    sources = [volume.persistent_volume_claim for volume in pod.volumes]
    assert [source.claim_name for source in sources if source is not None] == mounts
    assert pod.has_new_claim is has_new
