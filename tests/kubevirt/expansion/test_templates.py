"""Entries of dataVolumeTemplates, and the claims that they make (webhook.kubevirt.expansion.templates and volumes)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import Manifest, named, read, vm, vmi, world
from tests.kubevirt.expansion.test_expand import OF_P, facts, preference
from webhook.facts.migration import TemplateFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.expansion.templates import templates_of as every_template
from webhook.kubevirt.expansion.volumes import made_from
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import PreferenceSpec
from webhook.objects.storage import DataVolumeSpec
from webhook.rules.example import claim, storage_profile

SHARED, SINGLE = frozenset({"ReadWriteMany"}), frozenset({"ReadWriteOnce"})
VOLUMES = "volumes: [{name: d, dataVolume: {name: dv}}]"


def template(name: str = "dv", **storage: Any) -> Manifest:
    return {"metadata": {"name": name}, "spec": {"storage": storage}}


def templates_of(*entries: Manifest, around: tuple[Manifest, ...] = ()) -> tuple[TemplateFacts, ...]:
    return facts(vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[*entries]), world(*around)).templates


def test_a_template_asks_for_access_modes() -> None:
    """
    Until its claim exists, what it asks for is in force.
    """
    (found,) = templates_of(template(accessModes=["ReadWriteMany"]))

    assert (found.name, found.path, found.first) == ("dv", ("spec", "dataVolumeTemplates", 0), None)
    assert (found.asked, found.in_force) == (SHARED, SHARED)


def test_a_claim_that_exists_is_in_force() -> None:
    """
    A template does not change it any more.
    """
    (found,) = templates_of(template(accessModes=["ReadWriteMany"]), around=(claim("dv", "ReadWriteOnce"),))

    assert (found.asked, found.in_force) == (SHARED, SINGLE)


def test_a_template_without_a_volume_asks_for_nothing() -> None:
    """
    Its claim does not keep the VM from migrating.
    """
    (found,) = templates_of(template("other", accessModes=["ReadWriteOnce"]))

    assert (found.asked, found.in_force, found.expected_from) == (None, None, "")


def test_a_repeated_template_names_the_first_one() -> None:
    """
    Only the first of several entries with one name is used.
    """
    found = templates_of(template(accessModes=["ReadWriteMany"]), template("b"), template(), template())

    assert [(each.name, each.path[-1], each.first) for each in found] == [
        ("dv", 0, None),
        ("b", 1, None),
        ("dv", 2, 0),
        ("dv", 3, 0),
    ]
    assert found[2].asked == SHARED


def test_a_storage_profile_answers_for_a_template_without_modes() -> None:
    """
    The facts say where the modes are expected from.
    """
    (found,) = templates_of(template(storageClassName="sc"), around=(storage_profile("sc", "ReadWriteMany"),))

    assert found.asked == SHARED
    assert "sc" in found.expected_from


def test_a_preference_names_the_class_of_templates_that_name_none() -> None:
    """
    A class that is written stays, in storage and in pvc.
    """
    preferred = preference(volumes={"preferredStorageClassName": "sc"})
    profiles = (storage_profile("sc", "ReadWriteMany"), storage_profile("own", "ReadWriteOnce"))
    entries = [
        template(),
        template(storageClassName="own"),
        {"metadata": {"name": "dv"}, "spec": {"pvc": {"accessModes": ["ReadWriteOnce"]}}},
        {"metadata": {"name": "dv"}, "spec": {"pvc": {"storageClassName": "own", "accessModes": ["ReadWriteOnce"]}}},
    ]

    found = [
        facts(vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[each], **OF_P), world(preferred, *profiles)).claims[0]
        for each in entries
    ]

    assert [each.access_modes for each in found] == [SHARED, SINGLE, SINGLE, SINGLE]


def test_a_hidden_preference_may_name_the_class() -> None:
    """
    That leaves open the modes of a template that names neither class nor modes.
    """
    entries = [
        template(),
        template(accessModes=["ReadWriteMany"]),
        template(storageClassName="sc"),
        {"metadata": {"name": "dv"}, "spec": {"pvc": {"accessModes": ["ReadWriteOnce"]}}},
    ]

    found = [
        facts(
            vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[each], **OF_P),
            world(storage_profile("sc", "ReadWriteMany"), complete=()),
        ).claims[0]
        for each in entries
    ]

    assert isinstance(found[0].access_modes, Unknown)
    assert found[0].access_modes.why.startswith("dataVolumeTemplate 'dv' has no storage class, and ")
    assert (found[1].access_modes, found[3].access_modes) == (SHARED, SINGLE)
    assert not (
        isinstance(found[2].access_modes, Unknown) and found[2].access_modes.why.startswith("dataVolumeTemplate")
    )


def test_a_claim_under_an_ephemeral_volume_is_no_claim_of_the_vmi() -> None:
    """
    virt-handler looks at the overlay, which is a file of the pod.
    """
    volumes = """[{name: a, persistentVolumeClaim: {claimName: c}},
      {name: b, ephemeral: {persistentVolumeClaim: {claimName: c}}}, {name: e, ephemeral: {}}, {name: f, emptyDisk: {}}]"""

    found = facts(vm(f"{{volumes: {volumes}}}"), world(claim("c", "ReadWriteOnce")))

    assert [(each.volume, each.claim, each.path[-1]) for each in found.claims] == [("a", "c", 0)]
    assert [(each.volume, each.claim, each.path[-1]) for each in found.overlaid_claims] == [("b", "c", 1)]


def test_a_pool_numbers_the_claims_of_its_templates() -> None:
    """
    A claim with the name of the template belongs to something else.
    """
    machine = vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[template(accessModes=["ReadWriteMany"])])
    pool = named("VirtualMachinePool", "p", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": machine})
    around = world(claim("dv", "ReadWriteOnce"))

    assert facts(machine, around).claims[0].access_modes == SINGLE
    assert facts(pool, around).claims[0].access_modes == SHARED


def test_a_claim_of_a_pool_that_is_no_template_keeps_its_name() -> None:
    """
    Only templates are numbered; the path of a claim is that of its volume.
    """
    machine = vm("{volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}")
    pool = named("VirtualMachinePool", "p", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": machine})

    (found,) = facts(pool, world(claim("c", "ReadWriteOnce"))).claims

    assert found.access_modes == SINGLE
    assert found.path == ("spec", "virtualMachineTemplate", "spec", "template", "spec", "volumes", 0)


def test_modes_in_the_status_do_not_outrank_a_claim() -> None:
    """
    A claim that is known decides.
    """
    noted = {"volumeStatus": [{"name": "d", "persistentVolumeClaimInfo": {"accessModes": ["ReadWriteMany"]}}]}
    instance = vmi("{volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}", status=noted)

    (found,) = facts(instance, world(claim("c", "ReadWriteOnce"))).claims

    assert found.access_modes == SINGLE


def test_a_template_without_a_spec_asks_for_nothing() -> None:
    """
    Its name still counts: KubeVirt creates nothing for the entries after it.
    """
    (found,) = templates_of({"metadata": {"name": "dv"}}, around=(claim("dv", "ReadWriteMany"),))

    assert (found.asked, found.in_force, found.expected_from) == (None, SHARED, "")


def test_a_vm_without_templates_has_no_entries() -> None:
    """
    The list may be absent.
    """
    subject = subject_of(read(vm("{}")))
    assert subject is not None

    assert every_template(subject, world(), Inherited(), ()) == ()


def test_a_volume_with_a_claim_and_an_overlay_has_the_claim() -> None:
    """
    KubeVirt refuses two sources in one volume; the claim is the one that decides.
    """
    both = "{name: a, persistentVolumeClaim: {claimName: c}, ephemeral: {persistentVolumeClaim: {claimName: d}}}"

    found = facts(vm(f"{{volumes: [{both}]}}"), world(claim("c", "ReadWriteOnce")))

    assert ([each.claim for each in found.claims], found.overlaid_claims) == (["c"], ())


def test_an_overlay_has_the_claim_that_it_names() -> None:
    """
    A pool does not number it, and the VMI's status does not replace it.
    """
    volumes = "volumes: [{name: d, ephemeral: {persistentVolumeClaim: {claimName: dv}}}]"
    machine = vm(f"{{{volumes}}}", dataVolumeTemplates=[template(accessModes=["ReadWriteMany"])])
    pool = named("VirtualMachinePool", "p", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": machine})
    noted = {"volumeStatus": [{"name": "d", "persistentVolumeClaimInfo": {"accessModes": ["ReadWriteMany"]}}]}
    instance = vmi(f"{{{volumes}}}", status=noted)

    (of_pool,) = facts(pool, world(claim("dv", "ReadWriteOnce"))).overlaid_claims
    (of_instance,) = facts(instance, world(complete=())).overlaid_claims

    assert of_pool.access_modes == SINGLE
    assert isinstance(of_instance.access_modes, Unknown)


def test_modes_in_the_status_of_a_vmi_count_while_the_claim_is_unknown() -> None:
    """
    Of several entries for a volume the last one counts, even if it names no modes.
    """
    volumes = "volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]"
    many, none = (
        {"name": "d", "persistentVolumeClaimInfo": {"accessModes": each}} for each in (["ReadWriteMany"], None)
    )
    other, bare = {"name": "e", "persistentVolumeClaimInfo": {"accessModes": ["ReadOnlyMany"]}}, {"name": "d"}

    found = [
        facts(vmi(f"{{{volumes}}}", status={"volumeStatus": each}), world(complete=())).claims[0].access_modes
        for each in ([many], [none, many, other], [many, none], [many, bare], [other], None)
    ]

    assert found[:3] == [SHARED, SHARED, frozenset()]
    assert all(isinstance(each, Unknown) for each in found[3:])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"storage": {}}, {"storage": {"storageClassName": "sc"}}),
        ({"storage": {"storageClassName": "own"}}, {"storage": {"storageClassName": "own"}}),
        ({"pvc": {}}, {"pvc": {"storageClassName": "sc"}}),
        ({"pvc": {"storageClassName": "own"}}, {"pvc": {"storageClassName": "own"}}),
        ({"storage": {}, "pvc": {}}, {"storage": {"storageClassName": "sc"}, "pvc": {}}),
        ({}, {}),
    ],
)
def test_a_preferred_class_goes_into_one_claim_of_a_template(spec: Manifest, expected: Manifest) -> None:
    """
    Into storage, else into pvc; a class that is written stays.
    """
    written, wanted = (msgspec.convert(each, DataVolumeSpec) for each in (spec, expected))
    preferred = msgspec.convert({"volumes": {"preferredStorageClassName": "sc"}}, PreferenceSpec)

    assert made_from({"dv": written}, Inherited(preference=preferred)) == {"dv": wanted}
    assert made_from({"dv": written}, Inherited()) == {"dv": written}
    assert made_from({"dv": written}, Inherited(preference=PreferenceSpec())) == {"dv": written}
