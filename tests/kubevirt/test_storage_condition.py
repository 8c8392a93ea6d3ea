"""
The condition StorageLiveMigratable by release.

The expected reasons come from ``calculateLiveStorageMigrationCondition`` of ``pkg/virt-handler/vm.go``, v1.4.1 to v1.9.0.
"""

from typing import Any

import pytest

from tests.kubevirt.building import RELEASES, judgement, vmi, world
from webhook.kubevirt.releases import Release, only
from webhook.kubevirt.verdict import StorageVerdict
from webhook.rules.example import claim, kubevirt

Manifest = dict[str, Any]
MASQUERADE = kubevirt(network={"defaultNetworkInterface": "masquerade"})
DEVICE = "hostDevices: [{name: u, deviceName: x/u}]"
RESERVATION = "disks: [{name: l, lun: {reservation: true}}]"
PASSTHROUGH = "features: {hypervPassthrough: {enabled: true}}"
WITH_CONDITION = [release for release in RELEASES if release >= Release(1, 4)]


def storage(machine: Manifest, release: Release, *others: Manifest) -> StorageVerdict | None:
    result = judgement(machine, world(*(others or (MASQUERADE,))), only(release)).verdict
    assert result is not None
    return result.storage


def reasons(machine: Manifest, *others: Manifest) -> dict[str, str]:
    """The reasons in the message, without ``NotLiveMigratable``, by release."""
    found = {str(release): storage(machine, release, *others) for release in WITH_CONDITION}
    return {
        release: " ".join(reason.removesuffix("NotLiveMigratable") for reason in verdict.reasons)
        for release, verdict in found.items()
        if verdict is not None
    }


def since(minor: int, text: str, before: str = "") -> dict[str, str]:
    """``text`` from 1.``minor`` on, and ``before`` in earlier releases."""
    return {str(release): text if release.minor >= minor else before for release in WITH_CONDITION}


@pytest.mark.parametrize("release", [release for release in RELEASES if release < Release(1, 4)], ids=str)
def test_releases_before_1_4_have_no_such_condition(release: Release) -> None:
    """
    Volume migration exists in 1.3, but the condition does not.
    """
    assert storage(vmi("{}"), release) is None


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("{}", since(4, "")),
        ("volumes: [{name: d, persistentVolumeClaim: {claimName: local}}]", since(4, "")),
        ("interfaces: [{name: p, bridge: {}}], networks: [{name: p, pod: {}}]", since(4, "Interface")),
        (
            "filesystems: [{name: f, virtiofs: {}}], volumes: [{name: f, configMap: {name: f}}]",
            since(5, "", "VirtIOFS"),
        ),
        (DEVICE, since(4, "HostDevice")),
        ("launchSecurity: {sev: {}}", since(4, "SEV")),
        ("launchSecurity: {tdx: {}}", since(7, "TDX")),
        ("launchSecurity: {sev: {}, tdx: {}}", since(4, "SEV")),
        ("architecture: s390x, launchSecurity: {}", since(4, "")),
        (RESERVATION, since(4, "PersistentReservation")),
        (PASSTHROUGH, since(4, "HypervPassthrough")),
        (
            f"{DEVICE}, {RESERVATION}, {PASSTHROUGH}",
            since(4, "HostDevice PersistentReservation HypervPassthrough"),
        ),
    ],
)
def test_the_message_lists_every_reason(fragment: str, expected: dict[str, str]) -> None:
    """
    In KubeVirt's order. Volumes and Secure Execution do not matter, and 1.9 still counts persistent reservations.
    """
    text = fragment if fragment.startswith("{") else f"{{{fragment}}}"

    assert reasons(vmi(text), MASQUERADE, claim("local", "ReadWriteOnce")) == expected


def test_a_missing_fact_leaves_the_condition_unproven() -> None:
    """
    Without the KubeVirt CR, the default interface is not known. Another reason decides in spite of that.
    """
    unproven = storage(vmi("{}"), Release(1, 9), claim("x", "ReadWriteOnce"))
    refused = storage(vmi(f"{{{DEVICE}}}"), Release(1, 9), claim("x", "ReadWriteOnce"))

    assert unproven == StorageVerdict(None, (), ("InterfaceNotLiveMigratable",))  # type: ignore[arg-type]
    assert refused is not None
    assert (refused.live_migratable, len(refused.reasons), len(refused.possible)) == (False, 1, 1)
