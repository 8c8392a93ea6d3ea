"""Differences between the patch releases of one minor release."""

from typing import Any

import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, named, read, vm, world
from tests.kubevirt.expansion.test_inherited import REF, instancetype, revision, source, template
from webhook.facts.layered_world import VersionedWorld, requested_version
from webhook.facts.world import World, for_advice
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.hyperconverged.lookup import with_kubevirt
from webhook.kubevirt.releases import SUPPORTED, Release, Releases, only
from webhook.kubevirt.subject import subject_of
from webhook.objects.instancetype import ControllerRevision, VirtualMachineClusterInstancetype

COMPLETE = (*EVERYTHING, VirtualMachineClusterInstancetype, ControllerRevision)
LABELLED = vm("{}", dataVolumeTemplates=[template(REF)])
OTHER_NAME = vm(
    "{}",
    status={"instancetypeRef": {"name": "old", "controllerRevisionRef": {"name": "frozen"}}},
    instancetype={"name": "i"},
)
FROZEN = revision("frozen", "VirtualMachineClusterInstancetype", "old", gpus=[{"name": "gpu", "deviceName": "n/a"}])
LATER = "the patch release of KubeVirt {} or later"


def kubevirt(version: str) -> Manifest:
    return named(
        "KubeVirt", "kubevirt", "kubevirt.io/v1", status={"observedKubeVirtVersion": version} if version else {}
    )


def facts(machine: Manifest, release: Release, around: World) -> Any:
    """The facts of one release."""
    subject = subject_of(read(machine))
    assert subject is not None
    (only_group,) = expand(subject, around, only(release))
    return only_group


@pytest.mark.parametrize(
    ("version", "release", "architecture"),
    [
        ("v1.6.3", Release(1, 6), "amd64"),
        ("v1.6.4", Release(1, 6), "arm64"),
        ("v1.6.3", Release(1, 7), "arm64"),
        ("v1.6.2", Release(1, 5), "amd64"),
        ("v1.7.0", Release(1, 6), "arm64"),
        ("", Release(1, 6), "arm64"),
    ],
)
def test_the_label_of_a_data_source_counts_from_1_6_4(version: str, release: Release, architecture: str) -> None:
    """
    Without a patch release of 1.6, the newest patch release is assumed.
    """
    around = world(source("arm64"), kubevirt(version), complete=COMPLETE)

    assert facts(LABELLED, release, around).architecture == architecture


@pytest.mark.parametrize(
    ("version", "release", "count"),
    [
        ("v1.5.1", Release(1, 5), 1),
        ("v1.5.2", Release(1, 5), 0),
        ("v1.5.1", Release(1, 6), 0),
        ("v1.5.1", Release(1, 4), 0),
        ("", Release(1, 5), 0),
    ],
)
def test_a_revision_of_another_name_counts_up_to_1_5_1(version: str, release: Release, count: int) -> None:
    """
    From 1.5.2 on the label of the revision must have the name of the instancetype.
    """
    around = world(instancetype(), FROZEN, kubevirt(version), complete=COMPLETE)

    assert len(facts(OTHER_NAME, release, around).gpus) == count


@pytest.mark.parametrize(
    ("machine", "version", "release", "expected"),
    [
        (LABELLED, "", Release(1, 6), (LATER.format("1.6 is 1.6.4"),)),
        (LABELLED, "v1.6.6", Release(1, 6), ()),
        (LABELLED, "v1.6.2", Release(1, 6), ()),
        (LABELLED, "", Release(1, 7), ()),
        (vm("{}"), "", Release(1, 6), ()),
        (OTHER_NAME, "", Release(1, 5), (LATER.format("1.5 is 1.5.2"),)),
        (OTHER_NAME, "v1.5.3", Release(1, 5), ()),
        (OTHER_NAME, "", Release(1, 6), ()),
        (vm("{}", instancetype={"name": "i"}), "", Release(1, 5), ()),
    ],
)
def test_the_assumed_patch_release_is_named_only_if_it_matters(
    machine: Manifest, version: str, release: Release, expected: tuple[str, ...]
) -> None:
    """
    The verdict lists the assumption.
    """
    around = world(source("arm64"), instancetype(), FROZEN, kubevirt(version), complete=COMPLETE)

    assert facts(machine, release, around).assumptions == expected


@pytest.mark.parametrize(("requested", "architecture"), [("1.6.3", "amd64"), ("v1.6.4", "arm64"), ("1.6", "arm64")])
def test_a_requested_patch_release_has_precedence(requested: str, architecture: str) -> None:
    """
    The KubeVirt CR can report another patch release, or no KubeVirt CR is in the input.
    """
    alone = VersionedWorld(world(source("arm64"), complete=COMPLETE), requested)
    with_cr = VersionedWorld(world(source("arm64"), kubevirt("v1.6.6"), complete=COMPLETE), requested)

    assert facts(LABELLED, Release(1, 6), alone).architecture == architecture
    assert facts(LABELLED, Release(1, 6), with_cr).architecture == architecture


def test_a_requested_patch_release_counts_beside_a_hyper_converged_cr() -> None:
    """
    The KubeVirt CR that the HyperConverged CR yields reports no patch release.
    """
    hyper_converged = named("HyperConverged", "kubevirt-hyperconverged", "hco.kubevirt.io/v1beta1")
    around = VersionedWorld(world(source("arm64"), hyper_converged, complete=COMPLETE), "1.6.3")

    assert facts(LABELLED, Release(1, 6), with_kubevirt(around, only(Release(1, 6)))).architecture == "amd64"
    assert requested_version(for_advice(around)) == "1.6.3"


@pytest.mark.parametrize("version", ["", "v1.5.1", "v1.5.3", "v1.6.2", "v1.6.4"])
@pytest.mark.parametrize("machine", [LABELLED, OTHER_NAME])
def test_all_releases_together_give_the_same_as_each_alone(machine: Manifest, version: str) -> None:
    """
    A group of releases has the same facts.
    """
    around = world(source("arm64"), instancetype(), FROZEN, kubevirt(version), complete=COMPLETE)
    subject = subject_of(read(machine))
    assert subject is not None
    groups: list[tuple[Releases, str, int]] = [
        (group.releases, group.architecture, len(group.gpus)) for group in expand(subject, around, SUPPORTED)
    ]

    for minor in range(3, 10):
        alone = facts(machine, Release(1, minor), around)
        (group,) = [group for group in groups if group[0] & alone.releases]
        assert group[1:] == (alone.architecture, len(alone.gpus))
    assert sum(group[0] for group in groups) == SUPPORTED
