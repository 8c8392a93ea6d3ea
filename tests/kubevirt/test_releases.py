"""The release table and sets of releases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.check.check import choose_release
from webhook.errors import BadInput
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import (
    KNOWN,
    NEWEST,
    NONE,
    OLDEST,
    OLDEST_SUPPORTED,
    PREVIEW,
    PUBLISHED,
    SUPPORTED,
    TABLE,
    Reason,
    Release,
    before,
    behaviours,
    describe,
    giving,
    judged_as,
    newest,
    only,
    parse_release,
    since,
    split,
)
from webhook.objects.kubevirt import KubeVirt, KubeVirtStatus

RELEASES = [behaviour.release for behaviour in TABLE]
ORDERS = {
    "1.0": "Disks Interface CPUMode VirtIOFS HostDevice SEV PR NoTSC DedicatedCPU",
    "1.1": "Disks Interface CPUMode VirtIOFS HostDevice SEV PR NoTSC",
    "1.2": "Disks Interface CPUMode VirtIOFS HostDevice SEV PR NoTSC",
    "1.3": "Disks Interface CPUMode VirtIOFS HostDevice SEV PR NoTSC HypervPassthrough",
    "1.4": "Disks Interface CPUMode VirtIOFS HostDevice SEV PR NoTSC HypervPassthrough",
    "1.5": "Disks Interface CPUMode HostDevice SEV PR NoTSC HypervPassthrough",
    "1.6": "Interface CPUMode HostDevice SEV SecureExecution PR NoTSC HypervPassthrough Disks",
    "1.7": "Interface CPUMode HostDevice SEV TDX SecureExecution PR NoTSC HypervPassthrough Disks",
    "1.8": "Interface CPUMode HostDevice SEV TDX SecureExecution PR NoTSC HypervPassthrough Disks",
    "1.9": "Interface CPUMode HostDevice SEV TDX SecureExecution NoTSC HypervPassthrough Disks",
    "1.10": "Interface CPUMode HostDevice SEV TDX SecureExecution NoTSC HypervPassthrough Disks",
}
"""``calculateLiveMigrationCondition`` of ``pkg/virt-handler/vm.go``, release by release."""
SHORT = {
    "CPUMode": Reason.CPU_MODE,
    "PR": Reason.PERSISTENT_RESERVATION,
    "NoTSC": Reason.NO_TSC,
}


@pytest.mark.parametrize("release", ORDERS)
def test_reasons_are_checked_in_kubevirts_order(release: str) -> None:
    """
    A VMI shows the first reason that applies, so their order is part of the verdict.
    """
    (behaviour,) = (one for one in TABLE if str(one.release) == release)

    words = ORDERS[release].split()
    assert behaviour.order == tuple(SHORT.get(word) or Reason(f"{word}NotLiveMigratable") for word in words)


def test_the_table_has_every_minor_release_from_1_0_on() -> None:
    """
    Oldest first and without a gap: a set of releases counts on it.
    """
    assert [str(release) for release in RELEASES] == list(ORDERS)
    assert RELEASES[-2:] == [NEWEST, PREVIEW]
    assert (newest(PUBLISHED).release, newest(KNOWN).release) == (NEWEST, PREVIEW)
    assert [behaviour.release for behaviour in behaviours(SUPPORTED)] == [
        one for one in RELEASES if OLDEST_SUPPORTED <= one <= NEWEST
    ]


@given(st.sampled_from(RELEASES), st.sampled_from(RELEASES))
def test_since_and_before_cut_the_releases_in_two(release: Release, other: Release) -> None:
    """
    Every release is either before another or not, and alone in its own set.
    """
    assert since(release) | before(release) == KNOWN
    assert since(release) & before(release) == NONE
    assert bool(since(release) & only(other)) == (other >= release)
    assert only(release) == since(release) & ~since(Release(1, release.minor + 1)) if release != PREVIEW else True


@given(st.integers(0, KNOWN), st.lists(st.sampled_from(RELEASES), max_size=4))
def test_a_split_loses_no_release_and_crosses_no_change(releases: int, changes: list[Release]) -> None:
    """
    The groups are the set again, and none of them reaches across a change.
    """
    groups = list(split(releases, changes))

    assert sum(groups) == releases
    assert all(group & (group - 1) or group for group in groups)
    assert all(not (group & before(change) and group & since(change)) for group in groups for change in changes)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.DISKS, "all"),
        (Reason.VIRTIOFS, "1.3 to 1.4"),
        (Reason.SECURE_EXECUTION, "1.6 and later"),
        (Reason.TDX, "1.7 and later"),
        (Reason.PERSISTENT_RESERVATION, "1.3 to 1.8"),
        (Reason.DEDICATED_CPU, "none"),
    ],
)
def test_a_set_of_releases_is_described(reason: Reason, expected: str) -> None:
    """
    Runs of the judged releases.
    """
    assert describe(giving(reason)) == expected


def test_gaps_between_releases_are_described() -> None:
    """
    A set with a gap is two runs.
    """
    assert describe(only(Release(1, 3)) | since(Release(1, 6))) == "1.3, 1.6 and later"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.9", Release(1, 9)),
        ("v1.9.0", Release(1, 9)),
        (" v1.5.3 ", Release(1, 5)),
        ("v1.8.4-rc.1", Release(1, 8)),
        ("v1.6.0-alpha.0-12-gabcdef", Release(1, 6)),
        ("v1.7.4+build.5", Release(1, 7)),
        ("1.10", Release(1, 10)),
        ("v2.0.0", Release(2, 0)),
        ("devel", None),
        ("", None),
        ("1", None),
        ("v1", None),
        ("1.x", None),
        ("1.9x", None),
        ("1.9.0\n1.8.0", None),
        ("v1.99999.0", None),
        ("١.٩", None),
        ("sha256:0123", None),
    ],
)
def test_a_version_belongs_to_a_minor_release(text: str, expected: Release | None) -> None:
    """
    Patches, pre-releases and builds belong to their minor release; anything else is no version.
    """
    assert parse_release(text) == expected


@given(st.text())
def test_no_text_breaks_the_reading_of_a_version(text: str) -> None:
    """
    Any status of a KubeVirt CR gives a release or none.
    """
    release = parse_release(text)

    assert release is None or judged_as(release) in (*RELEASES, None)


NEWER = "KubeVirt {} is newer than all supported releases and is judged as 1.10"
UNPUBLISHED = "KubeVirt 1.10 is not published: objects are judged for its main branch of 2026-08-22"


def running(version: str) -> ObjectsWorld:
    return ObjectsWorld([KubeVirt(status=KubeVirtStatus(observed_kube_virt_version=version))])


@pytest.mark.parametrize(
    ("asked", "observed", "label", "notes"),
    [
        ("any", "v1.5.3", "any", []),
        ("1.8", "v1.5.3", "1.8", []),
        ("v1.8.4-rc.1", "", "1.8", []),
        ("", "v1.5.3", "1.5", []),
        ("", "", "any", []),
        ("1.10", "v1.9.0", "1.10", [UNPUBLISHED]),
        ("", "v1.10.0-alpha.0", "1.10", [UNPUBLISHED]),
        ("any", "v1.10.0", "any", []),
        ("", "v1.11.2", "1.10", [NEWER.format("1.11"), UNPUBLISHED]),
        ("2.0", "", "1.10", [NEWER.format("2.0"), UNPUBLISHED]),
        (
            "",
            "devel",
            "any",
            ["the KubeVirt CR reports version 'devel', which is not a release; objects are judged for 1.3 to 1.9"],
        ),
        (
            "",
            "v0.58.0",
            "any",
            [
                (
                    "the KubeVirt CR reports version 'v0.58.0', which is older than all known releases; "
                    "objects are judged for 1.3 to 1.9"
                )
            ],
        ),
    ],
)
def test_the_release_is_the_pinned_one_then_the_running_one_then_any(
    asked: str, observed: str, label: str, notes: list[str]
) -> None:
    """
    A note names the release that is judged instead, and the reason.
    """
    chosen = choose_release(asked, running(observed))

    assert (chosen.label, list(chosen.notes)) == (label, notes)


@pytest.mark.parametrize("asked", ["devel", "0.58", "1", "latest"])
def test_a_release_that_cannot_be_judged_is_refused_with_a_remedy(asked: str) -> None:
    """
    An unknown release is an error of the user, and the remedy names the known ones.
    """
    with pytest.raises(BadInput) as raised:
        choose_release(asked, ObjectsWorld([]))

    assert raised.value.remedy == "Write 'any' or a minor release from 1.0 to 1.9, such as 1.8."


def test_reasons_are_spelt_as_kubevirt_spells_them() -> None:
    """
    One of them lacks the word Not.
    """
    assert [*map(str, Reason)] == [
        "DisksNotLiveMigratable",
        "InterfaceNotLiveMigratable",
        "CPUModeLiveMigratable",
        "VirtIOFSNotLiveMigratable",
        "HostDeviceNotLiveMigratable",
        "SEVNotLiveMigratable",
        "TDXNotLiveMigratable",
        "SecureExecutionNotLiveMigratable",
        "PersistentReservationNotLiveMigratable",
        "NoTSCFrequencyNotLiveMigratable",
        "HypervPassthroughNotLiveMigratable",
        "DedicatedCPUNotLiveMigratable",
    ]


@pytest.mark.parametrize("minor", range(11))
def test_a_release_has_its_own_timeout_and_api_versions(minor: int) -> None:
    """
    1.4 shortens the timeout, 1.6 drops old instancetypes, and 1.7 adds a version of pools.
    """
    behaviour = TABLE[minor]

    assert behaviour.release == Release(1, minor)
    assert behaviour.completion_timeout_per_gib == (800 if minor < 4 else 150)
    assert behaviour.instancetype_versions == (("v1beta1", "v1alpha2", "v1alpha1") if minor < 6 else ("v1beta1",))
    assert behaviour.pool_versions == (("v1alpha1",) if minor < 7 else ("v1beta1", "v1alpha1"))


def test_the_ends_of_the_table_have_names() -> None:
    """
    Sets of releases are numbers with a bit for each.
    """
    assert (Release(1, 0), Release(1, 3), Release(1, 9)) == (OLDEST, OLDEST_SUPPORTED, NEWEST)
    assert (NONE, KNOWN, PUBLISHED, SUPPORTED) == (0, 0b11111111111, 0b1111111111, 0b1111111000)
    assert [only(Release(1, minor)) for minor in range(10)] == [1 << minor for minor in range(10)]
    assert (since(Release(1, 3)), before(Release(1, 3))) == (0b11111111000, 0b111)
    assert str(Release(1, 10)) == "1.10"
