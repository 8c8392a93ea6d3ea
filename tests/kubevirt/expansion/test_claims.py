"""Access modes of existing claims, of claims that CDI will create, and of claims in the status."""

from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, judgement, named, verdict, vm, vmi, world, yaml
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import ABSENT, Found, Unread
from webhook.kubevirt.expansion.claims import default_class
from webhook.kubevirt.releases import NEWEST, only
from webhook.objects.storage import DataVolume, PersistentVolumeClaim, StorageClass, StorageProfile
from webhook.rules.example import claim, data_volume, kubevirt, storage_profile

MASQUERADE = kubevirt(network={"defaultNetworkInterface": "masquerade"})
ON_C = "{volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}"
ON_DV = "{volumes: [{name: d, dataVolume: {name: dv}}]}"
VIRT = "storageclass.kubevirt.io/is-default-virt-class"
K8S = "storageclass.kubernetes.io/is-default-class"
CDI = "cdi.kubevirt.io/v1beta1"


def storage_class(name: str, *marks: str, created: str = "2026-01-01T00:00:00Z") -> Manifest:
    annotations = dict.fromkeys(marks, "true")
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations, "creationTimestamp": created},
    }


def profile(name: str, sets: str, where: str = "status") -> Manifest:
    """A StorageProfile with ``claimPropertySets`` as YAML."""
    whole = {"apiVersion": CDI, "kind": "StorageProfile", "metadata": {"name": name}}
    return whole | {where: {"claimPropertySets": yaml(sets)}}


def with_template(text: str, **fields: Any) -> Manifest:
    """A VM on one dataVolumeTemplate ``dv`` whose spec is the YAML ``text``."""
    return vm(ON_DV, dataVolumeTemplates=[{"metadata": {"name": "dv"}, "spec": yaml(text)}], **fields)


def judged(manifest: Manifest, *around: Manifest) -> str:
    return verdict(manifest, world(MASQUERADE, *around), NEWEST)


DISKS = "DisksNotLiveMigratable"


@pytest.mark.parametrize(
    ("template", "around", "expected"),
    [
        ("{pvc: {accessModes: [ReadWriteMany]}}", (), "OK"),
        ("{pvc: {accessModes: [ReadWriteOnce]}}", (), DISKS),
        ("{pvc: {}}", (storage_profile("sc", "ReadWriteMany"), storage_class("sc", K8S)), "unproven"),
        ("{pvc: {accessModes: [ReadWriteOnce, ReadWriteMany]}}", (), "unproven"),
        ("{storage: {accessModes: [ReadWriteOnce, ReadWriteMany]}}", (), "OK"),
        ("{storage: {storageClassName: sc}}", (storage_profile("sc", "ReadWriteMany"),), "OK"),
        ("{storage: {storageClassName: sc}}", (storage_profile("sc", "ReadWriteOnce", "ReadWriteMany"),), "OK"),
        ("{storage: {storageClassName: sc}}", (profile("sc", "[]"),), "unproven"),
        ("{storage: {storageClassName: sc}}", (), "unproven"),
        ("{storage: {storageClassName: sc}}", (profile("sc", "[{volumeMode: Block}]"),), "unproven"),
        (
            "{storage: {storageClassName: ''}}",
            (storage_profile("sc", "ReadWriteMany"), storage_class("sc", K8S)),
            "unproven",
        ),
        ("{storage: {}}", (storage_profile("sc", "ReadWriteMany"),), "unproven"),
        ("{}", (), "unproven"),
    ],
)
def test_a_template_gets_the_modes_that_cdi_requests(
    template: str, around: tuple[Manifest, ...], expected: str
) -> None:
    """
    Written modes count (exactly one under pvc), else the first set of the class's StorageProfile; nothing is guessed.
    """
    assert judged(with_template(template), *around) == expected


SETS = "[{volumeMode: Block, accessModes: [ReadWriteMany]}, {volumeMode: Filesystem, accessModes: [ReadWriteOnce]}]"


@pytest.mark.parametrize(
    ("template", "sets", "expected"),
    [
        ("{storage: {storageClassName: sc}}", SETS, "OK"),
        ("{storage: {storageClassName: sc, volumeMode: ''}}", SETS, "OK"),
        ("{storage: {storageClassName: sc, volumeMode: Block}}", SETS, "OK"),
        ("{storage: {storageClassName: sc, volumeMode: Filesystem}}", SETS, DISKS),
        (
            "{storage: {storageClassName: sc, volumeMode: Block}}",
            "[{volumeMode: Block}, {volumeMode: Block, accessModes: [ReadWriteOnce]}]",
            DISKS,
        ),
        ("{storage: {storageClassName: sc, volumeMode: Block}}", "[{accessModes: [ReadWriteMany]}]", "unproven"),
        ("{storage: {storageClassName: sc}, contentType: archive}", SETS, DISKS),
        ("{storage: {storageClassName: sc, volumeMode: Block}, contentType: archive}", SETS, "unproven"),
        ("{storage: {storageClassName: sc, volumeMode: Block}, contentType: kubevirt}", SETS, "OK"),
    ],
)
def test_the_volume_mode_chooses_among_a_profiles_sets(template: str, sets: str, expected: str) -> None:
    """
    The first set with the volume mode, if one is set; an archive always uses a filesystem.
    """
    assert judged(with_template(template), profile("sc", sets)) == expected


def test_a_profiles_spec_counts_where_cdi_has_not_filled_its_status() -> None:
    """
    A StorageProfile from a file has no status yet; CDI will copy its spec there.
    """
    written = profile("sc", "[{accessModes: [ReadWriteMany]}]", where="spec")

    assert judged(with_template("{storage: {storageClassName: sc}}"), written) == "OK"


@pytest.mark.parametrize(
    ("classes", "prefer_virt", "expected"),
    [
        ((storage_class("a"),), True, ABSENT),
        ((storage_class("a", K8S), storage_class("b", VIRT)), True, "b"),
        ((storage_class("a", K8S), storage_class("b", VIRT)), False, "a"),
        ((storage_class("a", K8S), storage_class("b", K8S)), True, "a"),
        ((storage_class("b", K8S), storage_class("a", K8S)), True, "a"),
        ((storage_class("a", K8S), storage_class("b", K8S, created="2026-02-01T00:00:00Z")), True, "b"),
        ((storage_class("a", VIRT, K8S), storage_class("b", VIRT, created="2026-02-01T00:00:00Z")), True, "b"),
    ],
)
def test_the_default_class_is_the_newest_then_the_first_by_name(
    classes: tuple[Manifest, ...], prefer_virt: bool, expected: object
) -> None:
    """
    The class marked for virtual machines goes first where a disk is made; among several, Kubernetes' order decides.
    """
    assert default_class(world(*classes), prefer_virt=prefer_virt) == expected


def test_a_template_without_a_class_takes_the_default_for_its_content() -> None:
    """
    A disk takes the default class for virtual machines, an archive the one of Kubernetes.
    """
    around = (
        storage_class("shared", VIRT),
        storage_class("local", K8S),
        storage_profile("shared", "ReadWriteMany"),
        storage_profile("local", "ReadWriteOnce"),
    )

    assert judged(with_template("{storage: {}}"), *around) == "OK"
    assert judged(with_template("{storage: {}, contentType: archive}"), *around) == DISKS


RWX = "{storage: {accessModes: [ReadWriteMany]}}"


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ((), "OK"),
        ((claim("dv", "ReadWriteOnce"),), DISKS),
        ((data_volume("dv", accessModes=["ReadWriteOnce"]),), DISKS),
        ((data_volume("dv", accessModes=["ReadWriteOnce"]), claim("dv", "ReadWriteMany")), "OK"),
    ],
)
def test_an_existing_claim_has_precedence_over_a_template(around: tuple[Manifest, ...], expected: str) -> None:
    """
    A claim of the template's name counts before all, then a DataVolume of that name: neither is made anew.
    """
    assert judged(with_template(RWX), *around) == expected


def test_a_pool_numbers_its_claims_so_that_existing_ones_do_not_count() -> None:
    """
    A claim or DataVolume that bears a pool's template's own name is not the one that its VMs will get.
    """
    template = with_template(RWX)
    pool = named("VirtualMachinePool", "p", "pool.kubevirt.io/v1beta1", spec={"virtualMachineTemplate": template})

    assert judged(pool, claim("dv", "ReadWriteOnce")) == "OK"
    assert judged(template, claim("dv", "ReadWriteOnce")) == DISKS


@pytest.mark.parametrize(
    ("volume_mode", "labels", "expected"),
    [
        ("Filesystem", {}, DISKS),
        ("Filesystem", {"cdi.kubevirt.io/applyStorageProfile": "false"}, DISKS),
        ("Block", {"cdi.kubevirt.io/applyStorageProfile": "true"}, "OK"),
        ("Filesystem", {"cdi.kubevirt.io/applyStorageProfile": "true"}, DISKS),
        ("FromStorageProfile", {"cdi.kubevirt.io/applyStorageProfile": "true"}, "OK"),
    ],
)
def test_a_claim_without_modes_gets_them_only_with_the_label_for_cdi(
    volume_mode: str, labels: dict[str, str], expected: str
) -> None:
    """
    CDI's webhook sets the modes of a claim with its label as of a DataVolume; other claims stay as they are.
    """
    spec = {"storageClassName": "sc", "volumeMode": volume_mode}
    asking = named("PersistentVolumeClaim", "c", "v1", labels, spec=spec)

    assert judged(vm(ON_C), asking, profile("sc", SETS)) == expected


@pytest.mark.parametrize(
    ("modes", "around", "expected"),
    [
        (["ReadWriteMany"], (), "OK"),
        (["ReadWriteOnce"], (), DISKS),
        ([], (), DISKS),
        (["ReadWriteMany"], (claim("c", "ReadWriteOnce"),), DISKS),
    ],
)
def test_the_modes_in_the_status_count_while_the_claim_is_unknown(
    modes: list[str], around: tuple[Manifest, ...], expected: str
) -> None:
    """
    virt-handler reads the access modes in the VMI's status, which virt-controller copies as long as it sees the claim.
    """
    noted = {"volumeStatus": [{"name": "d", "persistentVolumeClaimInfo": {"claimName": "c", "accessModes": modes}}]}

    assert judged(vmi(ON_C, status=noted), *around) == expected


def test_a_claim_that_may_still_come_is_unproven_and_named() -> None:
    """
    Where not all claims are known, the verdict is unproven, and the missing input is the claim.
    """
    complete = [kind for kind in EVERYTHING if kind is not PersistentVolumeClaim]

    result = judgement(vm(ON_C), world(MASQUERADE, complete=complete), only(NEWEST))

    assert result.verdict is not None
    assert (result.verdict.live_migratable, result.verdict.unproven) == (
        None,
        ("PVC 'c' is not in the input",),
    )
    assert [finding.remedy for finding in result.findings] == ["add the manifest of PVC 'c' to the input"]


@pytest.mark.parametrize("kind", [StorageProfile, StorageClass])
def test_unknown_storage_makes_a_template_unproven(kind: type) -> None:
    """
    A template without modes depends on the default class and its profile.
    """
    around = (storage_class("sc", K8S), storage_profile("sc", "ReadWriteMany"))
    shown = [manifest for manifest in around if manifest["kind"] != kind.__name__]
    complete = [item for item in EVERYTHING if item is not kind]

    assert verdict(with_template("{storage: {}}"), world(MASQUERADE, *around), NEWEST) == "OK"
    assert verdict(with_template("{storage: {}}"), world(MASQUERADE, *shown, complete=complete), NEWEST) == "unproven"


def test_a_template_counts_where_it_is_unknown_whether_its_claim_exists() -> None:
    """
    A file with one VM has neither its claim nor its DataVolume; the template predicts them.
    """
    assert verdict(with_template(RWX), world(MASQUERADE, complete=()), NEWEST) == "OK"


class Unanswering(ObjectsWorld):
    """A world that finds nothing of one kind, because it could not be read."""

    def __init__(self, kind: type[Any]) -> None:
        super().__init__([])
        self._kind = kind

    def find(self, kind: type[Any], namespace: str, name: str) -> Found[Any]:
        return Unread("the cluster did not answer") if kind is self._kind else super().find(kind, namespace, name)


@pytest.mark.parametrize("kind", [PersistentVolumeClaim, DataVolume])
@pytest.mark.parametrize("template", [RWX, "{storage: {accessModes: [ReadWriteOnce]}}"])
def test_a_template_does_not_count_where_its_claim_could_not_be_read(kind: type, template: str) -> None:
    """
    An existing claim or DataVolume has precedence over the template, so the verdict is unproven while one cannot be read.
    """
    assert verdict(with_template(template), Unanswering(kind), NEWEST) == "unproven"


def test_an_empty_class_means_no_class_and_not_the_default() -> None:
    """
    ``storageClassName: ""`` requests an existing volume, so no profile sets its modes.
    """
    around = world(MASQUERADE, storage_class("sc", K8S), storage_profile("sc", "ReadWriteMany"))

    result = judgement(with_template("{storage: {storageClassName: ''}}"), around, only(NEWEST))

    assert [finding.message for finding in result.findings] == [
        "dataVolumeTemplate 'dv' has an empty storageClassName and no accessModes"
    ]
