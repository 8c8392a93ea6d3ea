"""Access modes that CDI will set (webhook.kubevirt.expansion.claims)."""

import msgspec
import pytest

from tests.kubevirt.building import Manifest, named, world, yaml
from tests.kubevirt.expansion.test_claims import K8S, SETS, profile, storage_class
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.kubevirt.expansion.claims import Modes, default_class, modes_of, predicted
from webhook.objects.storage import DataVolumeSpec
from webhook.rules.example import claim, storage_profile

NO_CLASS = "has no storage class, and"


@pytest.mark.parametrize(
    ("spec", "around", "why", "settle"),
    [
        (
            "{pvc: {}}",
            [],
            "lists no accessModes under pvc, and CDI accepts exactly one",
            "write one access mode under spec.pvc.accessModes",
        ),
        (
            "{pvc: {accessModes: [ReadWriteOnce, ReadWriteMany]}}",
            [],
            "lists 2 accessModes under pvc, and CDI accepts exactly one",
            "write one access mode under spec.pvc.accessModes",
        ),
        ("{}", [], "has neither pvc nor storage", "add spec.storage to the DataVolume"),
        (
            "{storage: {volumeMode: Block}, contentType: archive}",
            [],
            "has contentType archive and volumeMode Block, which CDI refuses",
            "set volumeMode to Filesystem",
        ),
        ("{storage: {}}", [], f"{NO_CLASS} the cluster has no default storage class", "set storageClassName"),
        (
            "{storage: {}}",
            None,
            f"{NO_CLASS} the cluster's default storage class is not known",
            "set storageClassName, or pass the StorageClasses",
        ),
        (
            "{storage: {storageClassName: ''}}",
            [],
            "has an empty storageClassName and no accessModes",
            "add accessModes",
        ),
        (
            "{storage: {storageClassName: sc}}",
            None,
            "has no accessModes, and StorageProfile 'sc' is not in the input",
            "add accessModes, or add the manifest of StorageProfile 'sc' to the input",
        ),
    ],
)
def test_modes_that_cannot_be_predicted_are_unknown_with_a_remedy(
    spec: str, around: list[Manifest] | None, why: str, settle: str
) -> None:
    """
    The reason names the DataVolume and the missing field, and the advice settles it.
    """
    known = ObjectsWorld(()) if around is None else world(*around)

    result = predicted(known, msgspec.convert(yaml(spec), DataVolumeSpec), "DataVolume 'dv'").access_modes

    assert result == Unknown(f"DataVolume 'dv' {why}", settle)


@pytest.mark.parametrize(
    ("spec", "modes", "origin"),
    [
        ("{pvc: {accessModes: [ReadWriteOnce]}}", ["ReadWriteOnce"], "DataVolume 'dv'"),
        (
            "{storage: {accessModes: [ReadWriteOnce, ReadWriteMany]}}",
            ["ReadWriteOnce", "ReadWriteMany"],
            "DataVolume 'dv'",
        ),
        ("{storage: {storageClassName: sc}}", ["ReadWriteMany"], "StorageProfile 'sc'"),
    ],
)
def test_predicted_modes_name_their_origin(spec: str, modes: list[str], origin: str) -> None:
    """
    A message can say where the access modes come from: from the DataVolume itself, or from a StorageProfile.
    """
    known = world(storage_profile("sc", "ReadWriteMany"))

    assert predicted(known, msgspec.convert(yaml(spec), DataVolumeSpec), "DataVolume 'dv'") == Modes(
        frozenset(modes), origin
    )


def test_an_exhausted_profile_is_named() -> None:
    """
    CDI cannot make a claim from a StorageProfile without access modes for it.
    """
    known = world(profile("sc", "[]"))

    modes = predicted(known, msgspec.convert(yaml("{storage: {storageClassName: sc}}"), DataVolumeSpec), "PVC 'c'")

    why = "StorageProfile 'sc' has no access modes for PVC 'c', so CDI cannot create the PVC"
    assert modes == Modes(Unknown(why, "add accessModes"), "PVC 'c'")


def labelled(applies: str, modes: list[str] | None, volume_mode: str | None = None) -> Manifest:
    made = named("PersistentVolumeClaim", "c", "v1", {"cdi.kubevirt.io/applyStorageProfile": applies})
    return made | {"spec": {"storageClassName": "sc", "accessModes": modes, "volumeMode": volume_mode}}


@pytest.mark.parametrize(
    ("applies", "modes", "volume_mode", "expected"),
    [
        ("true", None, None, ["ReadWriteMany"]),
        ("true", None, "FromStorageProfile", ["ReadWriteMany"]),
        ("true", None, "Filesystem", ["ReadWriteOnce"]),
        ("true", ["ReadOnlyMany"], None, ["ReadOnlyMany"]),
        ("false", None, None, []),
    ],
)
def test_a_labelled_claim_gets_the_modes_of_its_profile(
    applies: str, modes: list[str] | None, volume_mode: str | None, expected: list[str]
) -> None:
    """
    CDI's webhook sets missing access modes only of claims with its label.
    """
    known = world(labelled(applies, modes, volume_mode), profile("sc", SETS))

    assert modes_of(known, "tenant", "c", {}).access_modes == frozenset(expected)


def test_a_default_class_without_a_date_counts_as_the_oldest() -> None:
    """
    A StorageClass from a file has no creationTimestamp; of several such classes the first by name is the default.
    """
    undated = [{**storage_class(name, K8S)} for name in ("b", "a")]
    for item in undated:
        del item["metadata"]["creationTimestamp"]

    assert default_class(world(*undated), prefer_virt=False) == "a"
    assert default_class(world(*undated, storage_class("c", K8S)), prefer_virt=False) == "c"


def test_modes_of_a_claim_that_exists_have_no_other_origin() -> None:
    """
    Only predicted modes name their source.
    """
    modes = modes_of(world(claim("c", "ReadWriteMany")), "", "c", {})

    assert modes == Modes(frozenset({"ReadWriteMany"}), "", is_bare=True)
