"""Settings from instancetype, preference and DataSources, by release (webhook.kubevirt.expansion.inherited)."""

from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, named, read, vm, world
from webhook.kubevirt.expansion.inherited import Inherited, inherited_by
from webhook.kubevirt.expansion.source_architecture import NONE, SourceArchitecture
from webhook.kubevirt.releases import KNOWN, Release, Releases, before, only, since
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import (
    ControllerRevision,
    InstancetypeSpec,
    PreferenceSpec,
    VirtualMachineClusterInstancetype,
    VirtualMachineClusterPreference,
)

API = "instancetype.kubevirt.io/v1beta1"
CDI = "cdi.kubevirt.io/v1beta1"
COMPLETE = (*EVERYTHING, VirtualMachineClusterInstancetype, VirtualMachineClusterPreference, ControllerRevision)
SPEC = {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}}
PREFERS = {"preference": {"name": "p"}}


def instancetype(**more: Any) -> Manifest:
    return named("VirtualMachineClusterInstancetype", "i", API, spec={**SPEC, **more})


def preference(**spec: Any) -> Manifest:
    return named("VirtualMachineClusterPreference", "p", API, spec=spec)


def revision(name: str, kind: str, of: str, **spec: Any) -> Manifest:
    labels = {"instancetype.kubevirt.io/object-name": of}
    data = {"apiVersion": API, "kind": kind, "metadata": {"name": of}, "spec": spec}
    return named("ControllerRevision", name, "apps/v1", labels, data=data)


def inherited(manifest: Manifest, *around: Manifest, releases: Releases = KNOWN) -> list[Inherited]:
    subject = subject_of(read(manifest))
    assert subject is not None
    return list(inherited_by(subject, world(*around, complete=COMPLETE), releases))


def groups(manifest: Manifest, *around: Manifest) -> list[Releases]:
    return [item.releases for item in inherited(manifest, *around)]


SPLIT_AT_1_1 = [before(Release(1, 1)), since(Release(1, 1))]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, [KNOWN]),
        ({"devices": {}}, [KNOWN]),
        ({"devices": {"preferredInterfaceMasquerade": {}}}, SPLIT_AT_1_1),
        ({"annotations": {"a": "b"}}, SPLIT_AT_1_1),
        ({"preferredArchitecture": "arm64"}, [before(Release(1, 7)), since(Release(1, 7))]),
        ({"preferredLaunchSecurity": {}}, [before(Release(1, 9)), since(Release(1, 9))]),
        (
            {"annotations": {"a": "b"}, "preferredArchitecture": "arm64"},
            [only(Release(1, 0)), before(Release(1, 7)) & ~only(Release(1, 0)), since(Release(1, 7))],
        ),
    ],
)
def test_releases_are_split_where_a_preference_acts_in_another_way(spec: Manifest, expected: list[Releases]) -> None:
    """
    Masquerade and annotations change at 1.1, the architecture at 1.7, the launch security at 1.9.
    """
    assert groups(vm("{}", **PREFERS), preference(**spec)) == expected


def test_annotations_of_an_instancetype_count_from_1_1() -> None:
    """
    KubeVirt 1.0 does not copy them.
    """
    assert groups(vm("{}", instancetype={"name": "i"}), instancetype(annotations={"a": "b"})) == SPLIT_AT_1_1


def test_annotations_never_override_the_vmis_own() -> None:
    """
    The VMI's have precedence over the instancetype's, and those over the preference's; 1.0 copies none.
    """
    made = Inherited(
        InstancetypeSpec(annotations={"a": "i", "b": "i"}), "i", PreferenceSpec(annotations={"b": "p", "c": "p"})
    )

    assert made.annotations({"a": "own"}) == {"a": "own", "b": "i", "c": "p"}
    assert Inherited(preference=PreferenceSpec(annotations={"c": "p"})).annotations({}) == {"c": "p"}
    assert Inherited(InstancetypeSpec(annotations={"a": "i"})).annotations({}) == {"a": "i"}
    assert Inherited(made.instancetype, "i", made.preference, only(Release(1, 0))).annotations({"a": "own"}) == {
        "a": "own"
    }


def test_without_inherited_settings_there_are_no_names() -> None:
    """
    A VM without instancetype, preference and DataSource hides nothing.
    """
    assert Inherited() == Inherited(InstancetypeSpec(), "", PreferenceSpec(), KNOWN, None, "", None, NONE, ())


def test_without_inherited_settings_the_annotations_stay() -> None:
    """
    The very mapping is used again.
    """
    own = {"a": "b"}

    assert Inherited().annotations(own) is own


def test_an_instancetype_is_named_in_messages() -> None:
    """
    A message can say where a value comes from.
    """
    (group,) = inherited(vm("{}", instancetype={"name": "i"}), instancetype())

    assert group.origin == "instancetype 'i'"
    assert group.unknown is None


def test_an_unknown_instancetype_and_an_unknown_preference_are_distinguished() -> None:
    """
    Fields of the instancetype are unknown only where the instancetype itself is unknown.
    """
    both = {"instancetype": {"name": "i"}, **PREFERS}
    (no_preference,) = inherited(vm("{}", **both), instancetype())
    (no_instancetype,) = inherited(vm("{}", **both), preference())

    assert no_preference.unknown is no_preference.unknown_preference is not None
    assert (no_preference.unknown_field, no_preference.unknown_instancetype) == ("preference", None)
    assert no_instancetype.unknown_instancetype is no_instancetype.unknown is not None
    assert (no_instancetype.unknown_field, no_instancetype.unknown_preference) == ("instancetype", None)


NOTED = {
    "instancetypeRef": {"name": "i", "controllerRevisionRef": {"name": "ri"}},
    "preferenceRef": {"name": "p", "controllerRevisionRef": {"name": "rp"}},
}
FROZEN = (
    revision("ri", "VirtualMachineClusterInstancetype", "i", cpu={"guest": 2}, memory={"guest": "2Gi"}),
    revision("rp", "VirtualMachineClusterPreference", "p", preferredArchitecture="arm64"),
)


@pytest.mark.parametrize("noted", [("instancetypeRef", "preferenceRef"), ("instancetypeRef",), ("preferenceRef",)])
def test_a_revision_in_the_status_counts_from_1_5(noted: tuple[str, ...]) -> None:
    """
    Older releases read the objects themselves; releases that are not judged are in no group.
    """
    status = {key: NOTED[key] for key in noted}
    manifest = vm("{}", status=status, instancetype={"name": "i"}, **PREFERS)
    around = (instancetype(), preference(), *FROZEN)

    older = inherited(manifest, *around, releases=only(Release(1, 4)))
    newer = inherited(manifest, *around, releases=only(Release(1, 9)))
    both = inherited(manifest, *around, releases=only(Release(1, 4)) | only(Release(1, 9)))

    live = older[0]
    assert (live.instancetype.cpu.guest, live.preference.preferred_architecture) == (1, None)  # type: ignore[union-attr]
    assert newer[0].instancetype.cpu.guest == (2 if "instancetypeRef" in noted else 1)  # type: ignore[union-attr]
    assert newer[0].preference.preferred_architecture == ("arm64" if "preferenceRef" in noted else None)
    assert [item.releases for item in (*older, *newer)] == [only(Release(1, 4)), only(Release(1, 9))]
    assert both == [*older, *newer]


def test_a_status_without_references_splits_nothing() -> None:
    """
    One group has all releases then.
    """
    manifest = vm("{}", status={"ready": True}, instancetype={"name": "i"})

    assert groups(manifest, instancetype()) == [KNOWN]


@pytest.mark.parametrize(
    ("release", "architecture"), [(Release(1, 5), None), (Release(1, 6), "s390x"), (Release(1, 7), "arm64")]
)
def test_a_preference_has_precedence_over_a_data_source(release: Release, architecture: str | None) -> None:
    """
    The DataSource's label counts from 1.6, preferredArchitecture from 1.7.
    """
    made = Inherited(
        preference=PreferenceSpec(preferred_architecture="arm64"),
        releases=only(release),
        source=SourceArchitecture("s390x"),
    )

    assert made.architecture == architecture
    assert Inherited(releases=only(release)).architecture is None


def source(architecture: str = "", name: str = "ds", namespace: str = "tenant", to: Manifest | None = None) -> Manifest:
    labels = {"template.kubevirt.io/architecture": architecture} if architecture else {}
    made = named("DataSource", name, CDI, labels, spec={"source": {"dataSource": to}} if to else {})
    made["metadata"]["namespace"] = namespace
    return made


def template(ref: Manifest | None, name: str = "dv") -> Manifest:
    return {"metadata": {"name": name}, "spec": {"sourceRef": ref} if ref else {}}


def unlabelled(manifest: Manifest) -> Manifest:
    """The same without any labels in its metadata."""
    del manifest["metadata"]["labels"]
    return manifest


REF = {"kind": "DataSource", "name": "ds"}


@pytest.mark.parametrize(
    ("templates", "around", "expected"),
    [
        ([template(REF)], [source("arm64")], "arm64"),
        ([template({**REF, "kind": "datasource"})], [source("arm64")], "arm64"),
        ([template({**REF, "kind": "Other"})], [source("arm64")], ""),
        ([template(REF)], [source("amd64")], "amd64"),
        ([template(REF)], [source("riscv64")], ""),
        ([template(REF)], [source()], ""),
        ([template(REF)], [unlabelled(source())], ""),
        ([template(REF)], [source(to={"name": "next"}), source("arm64", "next", "images")], "arm64"),
        ([template(REF)], [], ""),
        ([template(None), {"metadata": {"name": "x"}}, template(REF)], [source("arm64")], "arm64"),
        (
            [template({**REF, "name": "none"}), template(REF)],
            [source("arm64"), source("", "none")],
            "arm64",
        ),
        ([template({**REF, "namespace": "images"})], [source("arm64"), source("s390x", namespace="images")], "s390x"),
        ([template(REF)], [source("arm64"), source("s390x", namespace="images")], "arm64"),
        (
            [template(REF)],
            [
                source("arm64", to={"name": "next", "namespace": "images"}),
                source("s390x", "next", "images"),
                source("amd64", "next"),
            ],
            "s390x",
        ),
    ],
)
def test_the_architecture_is_that_of_the_first_labelled_data_source(
    templates: list[Manifest], around: list[Manifest], expected: str
) -> None:
    """
    A reference to another DataSource is followed; architectures that KubeVirt does not have are ignored.
    """
    result = inherited(vm("{}", dataVolumeTemplates=templates), *around)

    assert {item.source.architecture for item in result} == {expected}
    assert [item.releases for item in result] == (
        [before(Release(1, 6)), since(Release(1, 6))] if expected else [KNOWN]
    )


def test_an_architecture_of_the_template_needs_no_data_source() -> None:
    """
    No lookup where the VM itself sets the architecture.
    """
    result = inherited(vm("{architecture: amd64}", dataVolumeTemplates=[template(REF)]), source("arm64"))

    assert [item.source.architecture for item in result] == [""]
