"""A restore of a VM onto itself renames its claims. A volume whose old claim was not shared may get a new one that is not."""

import pytest

from tests.surfaces.admission.reviews import Manifest, claim, decided, on_claim, read, refused, review, vm, warned
from webhook.policy.policy import Action, Policy
from webhook.rules.storage.claim_not_shared import identity_of
from webhook.rules.storage.template_not_shared import identity_of_template
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.restored_claims import former_subjects, is_restore

FACTS = [claim("single", "ReadWriteOnce"), claim("shared", "ReadWriteMany"), claim("restore-1-os", "ReadWriteOnce")]
RESTORED = "restore.kubevirt.io/lastRestoreUID"
CONTROLLER, VIRT_API = (f"system:serviceaccount:kubevirt:kubevirt-{name}" for name in ("controller", "apiserver"))


def on_data_volume(name: str, volume: str = "os") -> Manifest:
    return {"name": volume, "dataVolume": {"name": name}}


def template(name: str, mode: str = "ReadWriteOnce") -> Manifest:
    return {"metadata": {"name": name}, "spec": {"storage": {"accessModes": [mode]}}}


def machine(*volumes: Manifest, restore: str = "", templates: tuple[Manifest, ...] = ()) -> Manifest:
    made = vm(volumes=list(volumes), outer={"dataVolumeTemplates": list(templates)})
    return made | {"metadata": made["metadata"] | ({"annotations": {RESTORED: restore}} if restore else {})}


RENAMED = {
    "persistentVolumeClaim": (machine(on_claim("single")), machine(on_claim("restore-1-os"), restore="a")),
    "dataVolume": (
        machine(on_data_volume("single"), restore="a"),
        machine(on_data_volume("restore-1-os"), restore="b"),
    ),
    "dataVolume without a template, which becomes a claim": (
        machine(on_data_volume("single")),
        machine(on_claim("restore-1-os"), restore="a"),
    ),
    "dataVolumeTemplate": (
        machine(on_data_volume("old"), templates=(template("old"),)),
        machine(on_data_volume("restore-2-os"), restore="a", templates=(template("restore-2-os"),)),
    ),
    "a claim that does not exist yet": (
        machine(on_data_volume("single")),
        machine(on_data_volume("restore-2-os"), restore="a", templates=(template("restore-2-os"),)),
    ),
}


@pytest.mark.parametrize(("old", "new"), RENAMED.values(), ids=RENAMED)
def test_a_restore_may_rename_a_claim_that_was_not_shared_before(old: Manifest, new: Manifest) -> None:
    """
    It passes with a warning for virt-controller; the same change by any other account is refused.
    """
    by_controller, by_user, by_virt_api = (
        decided(review("UPDATE", new, old, user=user), *FACTS) for user in (CONTROLLER, "jane", VIRT_API)
    )

    assert (by_controller.allowed, warned(by_controller)) == (True, [("LM201", "warn")])
    assert list(refused(by_user)) == list(refused(by_virt_api)) == ["spec.template.spec.volumes[0]"]


HARMED = {
    "another claim": machine(on_claim("restore-1-os"), restore="a"),
    "a claim of another volume": machine(on_claim("shared"), on_claim("restore-1-os", "data"), restore="a"),
}


@pytest.mark.parametrize("new", HARMED.values(), ids=HARMED)
@pytest.mark.parametrize("old", [machine(on_claim("shared"), on_claim("shared", "data")), machine()])
def test_a_restore_adds_no_single_node_claim_to_a_volume_without_one(new: Manifest, old: Manifest) -> None:
    """
    A volume on a shared claim, and a new volume, are judged like those of any other update.
    """
    assert len(refused(decided(review("UPDATE", new, old, user=CONTROLLER), *FACTS))) == 1


def test_an_old_finding_of_one_volume_does_not_allow_another() -> None:
    """
    The volume that was fine is refused, although the other one, whose claim is renamed too, is not.
    """
    old = machine(on_claim("single"), on_claim("shared", "data"))
    new = machine(on_claim("restore-1-os"), on_claim("restore-1-os", "data"), restore="a")

    outcome = decided(review("UPDATE", new, old, user=CONTROLLER), *FACTS)

    assert (list(refused(outcome)), warned(outcome)) == (["spec.template.spec.volumes[1]"], [("LM201", "warn")])


def test_a_renamed_template_is_still_the_one_that_was_denied() -> None:
    """
    Under a policy that denies LM209, a template with less than its existing claim is restored under the new name.
    """
    facts = [claim("old", "ReadWriteMany"), claim("restore-2-os", "ReadWriteMany")]
    old = machine(on_data_volume("old"), templates=(template("old"),))
    new = machine(on_data_volume("restore-2-os"), restore="a", templates=(template("restore-2-os"),))

    outcome = decided(
        review("UPDATE", new, old, user=CONTROLLER), *facts, policy=Policy(actions={"LM209": Action.DENY})
    )

    assert (outcome.allowed, warned(outcome)) == (True, [("LM209", "warn")])


def bare() -> Manifest:
    made = machine()
    del made["spec"]["template"]["spec"]["volumes"]
    return made


CONTAINER = {"name": "os", "containerDisk": {"image": "fedora"}}
NETWORK = {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": {"name": "lan"}}


@pytest.mark.parametrize(
    ("new", "old", "former"),
    [
        (machine(on_claim("new")), machine(on_claim("old")), {"new": "old"}),
        (machine(on_claim("same")), machine(on_claim("same")), {}),
        (machine(on_claim("new"), on_claim("more", "data")), machine(on_claim("old")), {"new": "old"}),
        (machine(on_claim("new")), machine(CONTAINER), {}),
        (machine(CONTAINER), machine(on_claim("old")), {}),
        (machine(on_claim("new")), bare(), {}),
        (bare(), machine(on_claim("old")), {}),
        (machine(on_claim("new")), NETWORK, {}),
        (NETWORK, machine(on_claim("old")), {}),
    ],
    ids=[
        "another claim",
        "the same claim",
        "a volume more",
        "no claim before",
        "no claim now",
        "no volumes before",
        "no volumes now",
        "no VM before",
        "no VM now",
    ],
)
def test_a_volume_whose_claim_is_replaced_has_a_former_subject(
    new: Manifest, old: Manifest, former: dict[str, str]
) -> None:
    """
    By the claim of the volume of the same name, for the volume and for the template of that claim.
    """
    expected = {identity_of("os", after): identity_of("os", before) for after, before in former.items()}
    expected |= {identity_of_template(after): identity_of_template(before) for after, before in former.items()}

    assert former_subjects(read(new), read(old)) == expected


@pytest.mark.parametrize(
    ("user", "restore", "restored"), [(CONTROLLER, "a", True), (CONTROLLER, "", False), ("jane", "a", False)]
)
def test_only_virt_controller_restores(user: str, restore: str, restored: bool) -> None:
    """
    It writes the name of another restore into the VM's annotations.
    """
    told = read_review(review("UPDATE", machine(restore=restore), machine(), user=user))
    assert isinstance(told, DecodedRequest)
    assert told.object is not None
    assert told.old is not None

    assert is_restore(told.request, told.object, told.old, "kubevirt") is restored
