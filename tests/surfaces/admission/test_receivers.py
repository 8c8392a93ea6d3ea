"""A VM that waits to receive a decentralized live migration is admitted with a warning."""

import pytest

from tests.kubevirt.building import judgement, world
from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, refused, review, vm
from webhook.kubevirt.releases import Release, only
from webhook.policy.policy import Policy, Profile
from webhook.rules.example import kubevirt

GATE = "DecentralizedLiveMigration"
LOCAL = claim("local", "ReadWriteOnce")


def cluster(**developer: list[str]) -> Manifest:
    """The KubeVirt CR with these lists of feature gates."""
    made: Manifest = kubevirt(developerConfiguration=developer)
    return made


def machine(name: str, run_strategy: str = "WaitAsReceiver") -> Manifest:
    """A VM on a claim."""
    return vm(volumes=[on_claim(name)], outer={"runStrategy": run_strategy})


WITH_GATE = cluster(featureGates=[GATE])


@pytest.mark.parametrize("profile", Profile)
def test_a_receiver_on_a_local_claim_is_admitted_with_a_warning(profile: Profile) -> None:
    """
    KubeVirt copies the disks to the claim. Afterwards the VM cannot leave its node.
    """
    outcome = decided(review("CREATE", machine("local")), WITH_GATE, LOCAL, policy=Policy(profile=profile))

    assert outcome.allowed
    [message] = [one.finding.message for one in outcome.decisions if one.finding.rule.id == "LM201"]
    assert message.endswith("so the VM cannot be live-migrated after it is received")


def test_without_the_gate_a_receiver_is_judged_like_any_vm() -> None:
    """
    KubeVirt itself refuses such a VM.
    """
    assert refused(decided(review("CREATE", machine("local")), cluster(disabledFeatureGates=[GATE]), LOCAL))


@pytest.mark.parametrize(
    ("release", "is_tolerated"), [(Release(1, 5), False), (Release(1, 6), True), (Release(1, 9), True)]
)
def test_receivers_exist_from_1_6_on(release: Release, is_tolerated: bool) -> None:
    """
    KubeVirt 1.5 knows neither the gate nor the run strategy.
    """
    found = judgement(machine("local"), world(WITH_GATE, LOCAL), only(release)).findings

    assert [one.is_tolerated for one in found if one.rule.id == "LM201"] == [is_tolerated]


def test_without_the_kubevirt_cr_a_receiver_is_admitted() -> None:
    """
    If the gate is off, KubeVirt itself refuses the VM.
    """
    assert decided(review("CREATE", machine("local")), LOCAL).allowed


def test_a_receiver_without_its_claim_is_admitted() -> None:
    """
    The claim can be created after the VM.
    """
    around = world(WITH_GATE)

    found = judgement(machine("local"), around, only(Release(1, 9))).findings

    assert [one.is_tolerated for one in found if one.rule.id == "LM201"] == [True]


def test_other_findings_about_a_receiver_are_denied() -> None:
    """
    KubeVirt tolerates only reason DisksNotLiveMigratable for a decentralized live migration.
    """
    device = {"hostDevices": [{"name": "u", "deviceName": "kubevirt.io/usb"}]}
    made = vm(volumes=[on_claim("local")], devices=device, outer={"runStrategy": "WaitAsReceiver"})

    assert list(refused(decided(review("CREATE", made), WITH_GATE, LOCAL))) == [
        "spec.template.spec.domain.devices.hostDevices[0]"
    ]


def test_an_update_may_start_a_received_vm_but_not_add_a_local_claim_to_it() -> None:
    """
    After the migration, the run strategy changes. A local claim in the same update is a new denial.
    """
    waiting, other = machine("local"), claim("other", "ReadWriteOnce")

    assert decided(review("UPDATE", machine("local", "Always"), waiting), WITH_GATE, LOCAL).allowed
    assert refused(decided(review("UPDATE", machine("other", "Always"), waiting), WITH_GATE, LOCAL, other))
