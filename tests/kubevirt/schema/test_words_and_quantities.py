"""Messages about unknown fields, unknown values and invalid quantities (webhook.kubevirt.schema.unknown_fields)."""

from typing import Any

import pytest

from tests.kubevirt.schema.test_unknown_fields import vm
from webhook.facts.manifest import InvalidQuantity, UnknownField, UnknownValue
from webhook.kubevirt.schema.unknown_fields import problems_in


def fields_of(**spec: Any) -> list[UnknownField]:
    return [*problems_in("VirtualMachine", vm(**spec))[0]]


def values_of(**spec: Any) -> list[UnknownValue]:
    return [*problems_in("VirtualMachine", vm(**spec))[1]]


DEVICES = ("spec", "template", "spec", "domain", "devices")


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("tpm", ()),
        ("gpus", (*DEVICES, "gpus")),
        ("disks", (*DEVICES, "disks")),
        ("hostname", ("spec", "template", "spec", "hostname")),
    ],
)
def test_a_name_of_four_letters_is_searched_for_elsewhere(name: str, belongs: tuple[str, ...]) -> None:
    """
    Shorter ones are too frequent.
    """
    (field,) = fields_of(**{name: None})

    assert (field.path, field.name, field.belongs) == (("spec", name), name, belongs)


def test_a_name_is_sent_to_the_place_nearest_to_the_root() -> None:
    """
    Disks and claims have a field of this name, too, further below.
    """
    (field,) = fields_of(readOnly=True)

    assert field.belongs == ("spec", "template", "spec", "utilityVolumes", "readOnly")


@pytest.mark.parametrize("name", ["accessModes", "failureThreshold"])
def test_a_name_with_several_places_of_one_depth_is_not_sent_anywhere(name: str) -> None:
    """
    It is not known which one was meant: claims and storage, or the liveness and the readiness probe.
    """
    (field,) = fields_of(**{name: None})

    assert (field.belongs, field.meant) == ((), "")


def test_another_case_comes_before_another_place() -> None:
    """
    A CD-ROM has ``readonly``, utility volumes have ``readOnly``.
    """
    disk = {"name": "a", "cdrom": {"readOnly": True}}

    (field,) = fields_of(template={"spec": {"domain": {"devices": {"disks": [disk]}}}})

    assert (field.belongs, field.meant) == ((), "readonly")


@pytest.mark.parametrize(
    ("name", "meant"), [("runStrat", "runStrategy"), ("runStrange", "runStrategy"), ("runStyle", "")]
)
def test_a_near_name_is_meant(name: str, meant: str) -> None:
    """
    Three quarters of the letters have to agree.
    """
    (field,) = fields_of(**{name: None})

    assert (field.belongs, field.meant) == ((), meant)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("RWX", "ReadWriteMany"),
        ("RWO", "ReadWriteOnce"),
        ("ROX", "ReadOnlyMany"),
        ("RWOP", "ReadWriteOncePod"),
        ("readwritemany", "ReadWriteMany"),
        ("Many", ""),
        ("ReadMany", "ReadOnlyMany"),
    ],
)
def test_abbreviations_of_access_modes_are_known(written: str, meant: str) -> None:
    """
    The abbreviations that kubectl prints. Other values are compared without case.
    """
    (values,) = values_of(dataVolumeTemplates=[{"spec": {"pvc": {"accessModes": [written]}}}])

    assert (values.value, values.meant) == (written, meant)


def test_an_abbreviation_of_access_modes_has_no_meaning_in_other_fields() -> None:
    """
    No run strategy is an access mode.
    """
    assert [item.meant for item in values_of(runStrategy="RWX")] == [""]


def test_values_inside_lists_are_named_by_their_index() -> None:
    """
    An empty value and a value that is not text are not reported.
    """
    modes: Any = ["", None, 5, "ReadWriteMany", ["A"], "B"]
    path = ("spec", "dataVolumeTemplates", 0, "spec", "pvc", "accessModes")

    values = values_of(dataVolumeTemplates=[{"spec": {"pvc": {"accessModes": modes}}}])

    assert [(item.path, item.value) for item in values] == [((*path, 4, 0), "A"), ((*path, 5), "B")]


def test_each_amount_of_a_map_is_judged() -> None:
    """
    And each quantity by itself.
    """
    domain = {"memory": {"guest": "2GB", "maxGuest": "2Gi"}, "resources": {"requests": {"a": "1", "b": "x", "c": 0.5}}}
    path = ("spec", "template", "spec", "domain")

    _, _, problems = problems_in("VirtualMachine", vm(template={"spec": {"domain": domain}}))

    assert {*problems} == {
        InvalidQuantity((*path, "memory", "guest"), "2GB"),
        InvalidQuantity((*path, "resources", "requests", "b"), "x"),
        InvalidQuantity((*path, "resources", "requests", "c"), 0.5),
    }


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ({"migrations": {"zzz": 1}}, []),
        ({"allowPostCopy": True}, []),
        ({"configuration": {"allowPostCopy": True, "migration": 1}}, []),
        ({"configuration": {"migrations": {"zzz": 1}}}, []),
        ({"configuration": {"network": {"zzz": 1}}}, [("spec", "configuration", "network", "zzz")]),
        ({"configuration": {"configuration": {}}}, [("spec", "configuration", "configuration")]),
        ({"apiVersion": "v1"}, [("spec", "apiVersion")]),
        ({"status": {}}, [("spec", "status")]),
    ],
)
def test_misplaced_settings_are_left_to_family_6(spec: Any, places: list[tuple[str, ...]]) -> None:
    """
    Other unknown fields of a KubeVirt CR are reported.
    """
    manifest = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {}, "status": {}, "spec": spec}

    assert [item.path for item in problems_in("KubeVirt", manifest)[0]] == places


def test_misplaced_settings_at_the_top_are_left_to_family_6() -> None:
    """
    The whole configuration, too. A policy's settings are judged there in any case.
    """
    top = {"kind": "KubeVirt", "configuration": {}, "migrations": {}, "zzz": 1}
    policy = {"kind": "MigrationPolicy", "spec": {"zzz": 1, "selectors": {"zzz": 1}}, "zzz": 1}

    assert [item.path for item in problems_in("KubeVirt", top)[0]] == [("zzz",)]
    assert {item.path for item in problems_in("MigrationPolicy", policy)[0]} == {("zzz",), ("spec", "selectors", "zzz")}


def test_findings_are_in_the_order_of_the_lists() -> None:
    """
    Entry by entry.
    """
    fields = fields_of(dataVolumeTemplates=[{"zzz": 1}, {"zzz": 1}])

    assert [item.path[2] for item in fields] == [0, 1]
