"""Where files contain different objects of one name, a reference resolves to the nearest one."""

import os
from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.check.environments import (
    a_claim,
    a_cr,
    a_policy,
    a_vm,
    a_vmi,
    an_instancetype,
    an_object,
    file,
    repositories,
)
from tests.generating import Manifest
from webhook.check.check import Settings, check, fill
from webhook.check.streaming import StreamingCheck
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Ambiguous
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.objects.kinds import KINDS, Kind
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import ObjectMeta
from webhook.objects.storage import PersistentVolumeClaim
from webhook.report.model import ObjectReport, Report
from webhook.report.ties import has_ties
from webhook.surfaces.api.judge.judge import report_on

EXAMPLES = int(os.environ.get("MIGRATABLE_EXAMPLES", "100"))
RWO, RWX = a_claim("ReadWriteOnce"), a_claim("ReadWriteMany")


def judged(report: Report, name: str) -> ObjectReport:
    return next(
        judged_object
        for judged_object in report.objects
        if judged_object.source is not None and judged_object.source.file == name
    )


def outcomes(report: Report, name: str) -> list[str]:
    return [f"{finding.rule} {finding.outcome}" for finding in judged(report, name).findings]


def comparable(report: Report) -> tuple[object, ...]:
    """All of a report but the order of its objects."""
    objects = sorted(msgspec.json.encode(judged_object) for judged_object in report.objects)
    return objects, sorted(report.notes), report.summary, report.release


def in_turn(inputs: Sequence[Manifests], references: Sequence[Manifests]) -> Report:
    run = StreamingCheck(Settings(), inputs.__getitem__, objects_of(references))
    for manifests in inputs:
        run.add(manifests)
    return run.report()


def objects_of(files: Sequence[Manifests]) -> list[ManifestObject]:
    return [manifest for manifests in files for manifest in manifests.objects]


@given(repositories(), st.randoms())
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_order_of_files_does_not_change_the_report(
    repository: tuple[Sequence[Manifests], Sequence[Manifests]], random: Random
) -> None:
    """
    It is also the same if the files are judged one by one.
    """
    inputs, references = repository
    report = comparable(check(inputs, Settings(), objects_of(references)))

    for _ in range(2):
        shuffled, others = [*inputs], [*references]
        random.shuffle(shuffled)
        random.shuffle(others)

        assert comparable(check(shuffled, Settings(), objects_of(others))) == report
        assert comparable(in_turn(shuffled, others)) == report


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("spaces", [("tenant", "tenant"), ("tenant", None), (None, "tenant"), (None, None)])
def test_each_environment_is_judged_with_its_own_claim(reverse: bool, spaces: tuple[str | None, str | None]) -> None:
    """
    This holds too if the namespace is missing in the VM or in the PVC.
    """
    vm, claim = spaces
    files = [
        file("dev/vmi.yaml", a_vmi(vm)),
        file("dev/pvc.yaml", a_claim("ReadWriteOnce", claim)),
        file("prod/vmi.yaml", a_vmi(vm)),
        file("prod/deep/pvc.yaml", a_claim("ReadWriteMany", claim)),
    ]

    report = check(files[::-1] if reverse else files, Settings(release="1.9"))

    assert "LM201 violation" in outcomes(report, "dev/vmi.yaml")
    assert "LM201 violation" not in outcomes(report, "prod/vmi.yaml")
    assert judged(report, "dev/vmi.yaml").references[0].file == "dev/pvc.yaml"
    assert judged(report, "dev/vmi.yaml").references[0].others == ["prod/deep/pvc.yaml"]
    assert not has_ties(report)


def test_an_object_of_the_same_file_is_the_nearest() -> None:
    """
    It has precedence over one in another file of the folder.
    """
    report = check([file("dev/all.yaml", a_vmi(), RWO), file("dev/pvc.yaml", RWX)], Settings(release="1.9"))

    assert "LM201 violation" in outcomes(report, "dev/all.yaml")


@pytest.mark.parametrize(("near", "far"), [("./", "../dev/"), ("prod/", "/repo/dev/"), ("../prod/a/", "../dev/b/")])
def test_paths_are_compared_whatever_their_spelling(near: str, far: str) -> None:
    """
    Arguments can be absolute, or lead to a parent folder.
    """
    report = check(
        [file(f"{near}vmi.yaml", a_vmi()), file(f"{far}a.yaml", RWX), file(f"{near}z.yaml", RWO)], Settings()
    )

    assert judged(report, f"{near}vmi.yaml").references[0].file == f"{near}z.yaml"


def test_equally_near_objects_are_unproven() -> None:
    """
    Finding and note name both files.
    """
    files = [file("ci/vmi.yaml", a_vmi()), file("dev/pvc.yaml", RWO), file("prod/pvc.yaml", RWX)]

    report = check(files, Settings(release="1.9"))

    [finding] = [item for item in judged(report, "ci/vmi.yaml").findings if item.rule == "LM201"]
    assert finding.outcome == "undetermined"
    assert "dev/pvc.yaml and prod/pvc.yaml contain different objects for PVC 'os'" in finding.message
    assert [note for note in report.notes if "dev/pvc.yaml and prod/pvc.yaml" in note]
    assert has_ties(report)


def test_equal_objects_are_no_conflict() -> None:
    """
    Their order and their folders do not matter.
    """
    report = check([file("ci/vmi.yaml", a_vmi()), file("dev/a.yaml", RWX), file("prod/a.yaml", RWX)], Settings())

    assert judged(report, "ci/vmi.yaml").references == []
    assert not has_ties(report)


def test_each_environment_has_the_release_and_settings_of_its_kubevirt_cr() -> None:
    """
    The report names both releases.
    """
    files = [
        file("dev/vmi.yaml", a_vmi(interfaces=False)),
        file("dev/cr.yaml", a_cr("v1.9.0", "bridge")),
        file("prod/vmi.yaml", a_vmi(interfaces=False)),
        file("prod/cr.yaml", a_cr("v1.4.0", "masquerade")),
    ]

    report = check(files, Settings())

    assert report.release == "1.4, 1.9"
    assert (judged(report, "dev/vmi.yaml").release, judged(report, "prod/vmi.yaml").release) == ("1.9", "1.4")
    assert "LM101 violation" in outcomes(report, "dev/vmi.yaml")
    assert not [outcome for outcome in outcomes(report, "prod/vmi.yaml") if outcome.startswith("LM101")]


STORED = an_object("DataVolume", "cdi.kubevirt.io/v1beta1", "os", spec={"storage": {"storageClassName": "ceph"}})


def a_profile(mode: str) -> Manifest:
    status = {"claimPropertySets": [{"accessModes": [mode]}]}
    return an_object("StorageProfile", "cdi.kubevirt.io/v1beta1", "ceph", None, status=status)


@pytest.mark.parametrize(
    ("vm", "bad", "good", "rule"),
    [
        ([a_vm()], an_instancetype(gpu=True), an_instancetype(gpu=False), "LM302"),
        ([a_vmi(), STORED], a_profile("ReadWriteOnce"), a_profile("ReadWriteMany"), "LM201"),
        ([a_vmi(interfaces=False), RWX], a_cr(binding="bridge"), a_cr(binding="masquerade"), "LM101"),
    ],
)
def test_every_kind_of_reference_resolves_to_the_nearest_object(
    vm: list[Manifest], bad: Manifest, good: Manifest, rule: str
) -> None:
    """
    Instancetypes, StorageProfiles and the KubeVirt CR do so, also in files that are read only for references.
    """
    files = [file("dev/vm.yaml", *vm), file("prod/vm.yaml", *vm)]
    others = [file("dev/facts/other.yaml", bad), file("prod/facts/other.yaml", good)]

    for report in (
        check([*files, *others], Settings(release="1.9")),
        check(files, Settings(release="1.9"), objects_of(others)),
        check([*files[::-1], *others[::-1]], Settings(release="1.9")),
    ):
        assert f"{rule} violation" in outcomes(report, "dev/vm.yaml")
        assert f"{rule} violation" not in outcomes(report, "prod/vm.yaml")


def test_lists_have_one_object_of_each_name() -> None:
    """
    A MigrationPolicy of another folder does not count if a nearer folder has a different one of its name.
    """
    world = ObjectsWorld(())
    fill(
        world,
        [file("dev/a.yaml", a_policy("a", 1)), file("prod/a.yaml", a_policy("a", 800), a_policy("only", 5))],
        (),
    )

    policies = world.seen_from("dev/vm.yaml").every(MigrationPolicy)

    assert isinstance(policies, tuple)
    assert [(one.name, one.spec["completionTimeoutPerGiB"]) for one in policies] == [("a", 1), ("only", 5)]
    assert isinstance(world.seen_from("ci/vm.yaml").every(MigrationPolicy), Ambiguous)


def test_two_documents_of_one_body_are_a_tie() -> None:
    """
    The API has no paths, so different objects with the same name are unproven.
    """
    body = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": [a_vmi(), RWO, RWX]})

    report = msgspec.json.decode(report_on(body, Settings(release="1.9")), type=Report)

    [finding] = [item for item in report.objects[0].findings if item.rule == "LM201"]
    assert finding.outcome == "undetermined"
    assert "contains different objects for PVC 'os'" in finding.message


@pytest.mark.parametrize(
    "known", [known for known in KINDS if known.reads is not KubeVirt], ids=lambda known: known.kind
)
def test_an_object_of_every_kind_is_found_in_the_nearest_folder(known: Kind) -> None:
    """
    A reference from another folder is ambiguous.
    """
    world = ObjectsWorld(())
    for folder in ("dev", "prod"):
        meta = ObjectMeta(name="a", namespace="tenant" if known.namespaced else None, uid=folder)
        world.add(known.reads(metadata=meta), f"{folder}/a.yaml")

    for folder in ("dev", "prod"):
        nearest = world.seen_from(f"{folder}/vm.yaml").find(known.reads, "tenant", "a")
        assert isinstance(nearest, known.reads)
        assert nearest.meta.uid == folder
    assert isinstance(world.seen_from("ci/vm.yaml").find(known.reads, "tenant", "a"), Ambiguous)


@pytest.mark.parametrize(
    ("own", "looked_up", "is_found"),
    [("a", "a", True), ("a", "b", False), ("a", "", True), ("", "a", True), ("", "", True)],
)
def test_the_only_claim_of_a_name_is_found_in_its_namespace(own: str, looked_up: str, is_found: bool) -> None:
    """
    An empty namespace of the lookup or of the object matches every namespace.
    """
    claim = PersistentVolumeClaim(metadata=ObjectMeta(name="disk", namespace=own or None))
    world = ObjectsWorld(())
    world.add(claim, "disk.yaml")

    assert (world.find(PersistentVolumeClaim, looked_up, "disk") is claim) == is_found
