"""Settings that a VM inherits from a preference, and dedicated CPUs from an instancetype."""

import pytest

from tests.kubevirt.building import Manifest, verdicts, vm, world
from tests.kubevirt.expansion.test_instancetypes import (
    COMPLETE,
    DISKS,
    ENCRYPTED,
    MASQUERADE,
    NO_TSC,
    ON_DV,
    instancetype,
    judged,
    preference,
)
from webhook.kubevirt.releases import Release
from webhook.rules.example import storage_profile

HYPERV = {"features": {"preferredHyperv": {"reenlightenment": {}}}}
INVTSC = {"cpu": {"preferredCPUFeatures": [{"name": "invtsc", "policy": "require"}]}}


@pytest.mark.parametrize(
    ("fragment", "preferred", "expected"),
    [
        ("{}", HYPERV, {"all": NO_TSC}),
        ("{}", {"features": {"preferredHyperv": {"reenlightenment": {"enabled": False}}}}, {"all": "OK"}),
        ("{features: {hyperv: {relaxed: {}}}}", HYPERV, {"all": NO_TSC}),
        ("{features: {hyperv: {reenlightenment: {enabled: false}}}}", HYPERV, {"all": "OK"}),
        ("{}", HYPERV | INVTSC, {"all": "OK"}),
        ("{cpu: {features: [{name: invtsc, policy: disable}]}}", HYPERV | INVTSC, {"all": NO_TSC}),
        ("{}", {"preferredLaunchSecurity": {"sev": {}}}, {"1.9": ENCRYPTED, "all": "OK"}),
        ("{launchSecurity: {}}", {"preferredLaunchSecurity": {"sev": {}}}, {"all": "OK"}),
        ("{}", {"devices": {"preferredTPM": {"persistent": True}}}, {"1.3": "unproven", "all": "OK"}),
        ("{tpm: {}}", {"devices": {"preferredTPM": {"persistent": True}}}, {"all": "OK"}),
    ],
)
def test_a_preference_sets_fields_that_the_vm_does_not_set(
    fragment: str, preferred: Manifest, expected: dict[str, str]
) -> None:
    """
    Features, CPU features, launch security (1.9) and TPM (1.3 checks its claim), each where the VM has none.
    """
    whole = world(MASQUERADE, preference("p", **preferred), complete=COMPLETE)

    by_release = verdicts(vm(fragment, preference={"name": "p"}), whole)

    assert by_release == {release: expected.get(release, expected["all"]) for release in by_release}


def test_an_instancetypes_launch_security_comes_before_the_preferences() -> None:
    """
    The instancetype is applied first; the preference never overrides.
    """
    around = (instancetype("i", launchSecurity={"tdx": {}}), preference("p", preferredLaunchSecurity={"sev": {}}))

    result = judged(vm("{}", instancetype={"name": "i"}, preference={"name": "p"}), *around)

    assert result == "TDXNotLiveMigratable"


@pytest.mark.parametrize(("written", "expected"), [({}, "OK"), ({"storageClassName": "local"}, DISKS)])
def test_a_preferred_class_goes_into_templates_without_one(written: Manifest, expected: str) -> None:
    """
    ``preferredStorageClassName`` is written into dataVolumeTemplates that name no class, before CDI sees them.
    """
    around = (
        preference("p", volumes={"preferredStorageClassName": "shared"}),
        storage_profile("shared", "ReadWriteMany"),
        storage_profile("local", "ReadWriteOnce"),
    )
    template = [{"metadata": {"name": "dv"}, "spec": {"storage": written}}]

    result = judged(vm(ON_DV, preference={"name": "p"}, dataVolumeTemplates=template), *around)

    assert result == expected


def test_1_0_reads_dedicated_cpus_from_an_instancetype_too() -> None:
    """
    The reason that only 1.0 gives applies whether the VM or its instancetype sets the isolated thread.
    """
    dedicated = instancetype("i", cpu={"guest": 1, "dedicatedCPUPlacement": True, "isolateEmulatorThread": True})

    result = judged(vm("{}", instancetype={"name": "i"}), dedicated, release=Release(1, 0))

    assert result == "DedicatedCPUNotLiveMigratable"
