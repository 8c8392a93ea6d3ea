"""Entries of dataVolumeTemplates, and their claims (webhook.kubevirt.expansion.volumes)."""

from typing import Any

import msgspec
import pytest

from tests.kubevirt.building import Manifest, named, read, vm, vmi, world
from tests.kubevirt.expansion.test_expand import OF_P, facts, preference
from webhook.facts.migration import TemplateFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.inherited import Inherited
from webhook.kubevirt.expansion.volumes import made_from
from webhook.kubevirt.expansion.volumes import templates_of as every_template
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


def test_a_template_requests_access_modes() -> None:
    """
    The access modes of the template apply until its claim exists.
    """
    (result,) = templates_of(template(accessModes=["ReadWriteMany"]))

    assert (result.name, result.path, result.first) == ("dv", ("spec", "dataVolumeTemplates", 0), None)
    assert (result.asked, result.in_force) == (SHARED, SHARED)


def test_a_claim_that_exists_is_in_force() -> None:
    """
    A template does not change it any more.
    """
    (result,) = templates_of(template(accessModes=["ReadWriteMany"]), around=(claim("dv", "ReadWriteOnce"),))

    assert (result.asked, result.in_force) == (SHARED, SINGLE)


def test_a_template_without_a_volume_has_no_modes() -> None:
    """
    Its claim does not keep the VM from migrating.
    """
    (result,) = templates_of(template("other", accessModes=["ReadWriteOnce"]))

    assert (result.asked, result.in_force, result.expected_from) == (None, None, "")


def test_a_repeated_template_names_the_first_one() -> None:
    """
    Only the first of several entries with one name is used.
    """
    templates = templates_of(template(accessModes=["ReadWriteMany"]), template("b"), template(), template())

    assert [(item.name, item.path[-1], item.first) for item in templates] == [
        ("dv", 0, None),
        ("b", 1, None),
        ("dv", 2, 0),
        ("dv", 3, 0),
    ]
    assert templates[2].asked == SHARED


def test_a_storage_profile_answers_for_a_template_without_modes() -> None:
    """
    The facts name the source of the expected modes.
    """
    (result,) = templates_of(template(storageClassName="sc"), around=(storage_profile("sc", "ReadWriteMany"),))

    assert result.asked == SHARED
    assert "sc" in result.expected_from


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

    result = [
        facts(vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[entry], **OF_P), world(preferred, *profiles)).claims[0]
        for entry in entries
    ]

    assert [item.access_modes for item in result] == [SHARED, SINGLE, SINGLE, SINGLE]


def test_a_unknown_preference_may_name_the_class() -> None:
    """
    That leaves open the modes of a template that names neither class nor modes.
    """
    entries = [
        template(),
        template(accessModes=["ReadWriteMany"]),
        template(storageClassName="sc"),
        {"metadata": {"name": "dv"}, "spec": {"pvc": {"accessModes": ["ReadWriteOnce"]}}},
    ]

    result = [
        facts(
            vm(f"{{{VOLUMES}}}", dataVolumeTemplates=[entry], **OF_P),
            world(storage_profile("sc", "ReadWriteMany"), complete=()),
        ).claims[0]
        for entry in entries
    ]

    assert isinstance(result[0].access_modes, Unknown)
    assert result[0].access_modes.why.startswith("dataVolumeTemplate 'dv' has no storage class, and ")
    assert (result[1].access_modes, result[3].access_modes) == (SHARED, SINGLE)
    assert not (
        isinstance(result[2].access_modes, Unknown) and result[2].access_modes.why.startswith("dataVolumeTemplate")
    )


def test_a_claim_under_an_ephemeral_volume_is_no_claim_of_the_vmi() -> None:
    """
    virt-handler checks the overlay, which is a file of the pod.
    """
    volumes = """[{name: a, persistentVolumeClaim: {claimName: c}},
      {name: b, ephemeral: {persistentVolumeClaim: {claimName: c}}}, {name: e, ephemeral: {}}, {name: f, emptyDisk: {}}]"""

    expanded = facts(vm(f"{{volumes: {volumes}}}"), world(claim("c", "ReadWriteOnce")))

    assert [(entry.volume, entry.claim, entry.path[-1]) for entry in expanded.claims] == [("a", "c", 0)]
    assert [(entry.volume, entry.claim, entry.path[-1]) for entry in expanded.overlaid_claims] == [("b", "c", 1)]


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

    (result,) = facts(pool, world(claim("c", "ReadWriteOnce"))).claims

    assert result.access_modes == SINGLE
    assert result.path == ("spec", "virtualMachineTemplate", "spec", "template", "spec", "volumes", 0)


def test_modes_in_the_status_do_not_have_precedence_over_a_claim() -> None:
    """
    A known claim decides.
    """
    noted = {"volumeStatus": [{"name": "d", "persistentVolumeClaimInfo": {"accessModes": ["ReadWriteMany"]}}]}
    instance = vmi("{volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}", status=noted)

    (result,) = facts(instance, world(claim("c", "ReadWriteOnce"))).claims

    assert result.access_modes == SINGLE


def test_a_template_without_a_spec_requests_no_modes() -> None:
    """
    Its name still counts: KubeVirt creates nothing for the entries after it.
    """
    (result,) = templates_of({"metadata": {"name": "dv"}}, around=(claim("dv", "ReadWriteMany"),))

    assert (result.asked, result.in_force, result.expected_from) == (None, SHARED, "")


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

    expanded = facts(vm(f"{{volumes: [{both}]}}"), world(claim("c", "ReadWriteOnce")))

    assert ([entry.claim for entry in expanded.claims], expanded.overlaid_claims) == (["c"], ())


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
        {"name": "d", "persistentVolumeClaimInfo": {"accessModes": item}} for item in (["ReadWriteMany"], None)
    )
    other, bare = {"name": "e", "persistentVolumeClaimInfo": {"accessModes": ["ReadOnlyMany"]}}, {"name": "d"}

    result = [
        facts(vmi(f"{{{volumes}}}", status={"volumeStatus": item}), world(complete=())).claims[0].access_modes
        for item in ([many], [none, many, other], [many, none], [many, bare], [other], None)
    ]

    assert result[:3] == [SHARED, SHARED, frozenset()]
    assert all(isinstance(finding, Unknown) for finding in result[3:])


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
    written, wanted = (msgspec.convert(item, DataVolumeSpec) for item in (spec, expected))
    preferred = msgspec.convert({"volumes": {"preferredStorageClassName": "sc"}}, PreferenceSpec)

    assert made_from({"dv": written}, Inherited(preference=preferred)) == {"dv": wanted}
    assert made_from({"dv": written}, Inherited()) == {"dv": written}
    assert made_from({"dv": written}, Inherited(preference=PreferenceSpec())) == {"dv": written}
