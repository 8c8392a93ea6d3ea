"""
The differences between KubeVirt's minor releases, as data.

For a new minor release, add an entry to ``TABLE``. One entry per minor release is enough, because all its patch releases have
the same verdict functions (compared over the tags v1.0.1 to v1.9.0). Differences in the lookup of objects are in
``kubevirt.expansion``.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import msgspec


class Reason(StrEnum):
    """
    The ``reason`` of a LiveMigratable condition with status False, in KubeVirt's spelling.

    Source: ``staging/src/kubevirt.io/api/core/v1/types.go``, v1.9.0.
    """

    DISKS = "DisksNotLiveMigratable"
    INTERFACE = "InterfaceNotLiveMigratable"
    CPU_MODE = "CPUModeLiveMigratable"  # the word "Not" is missing upstream
    VIRTIOFS = "VirtIOFSNotLiveMigratable"
    HOST_DEVICE = "HostDeviceNotLiveMigratable"
    SEV = "SEVNotLiveMigratable"
    TDX = "TDXNotLiveMigratable"
    SECURE_EXECUTION = "SecureExecutionNotLiveMigratable"
    PERSISTENT_RESERVATION = "PersistentReservationNotLiveMigratable"
    NO_TSC = "NoTSCFrequencyNotLiveMigratable"
    HYPERV_PASSTHROUGH = "HypervPassthroughNotLiveMigratable"
    DEDICATED_CPU = "DedicatedCPUNotLiveMigratable"


class Release(NamedTuple):
    """A minor release of KubeVirt, e.g. ``Release(1, 9)``."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Version(NamedTuple):
    """A patch release of KubeVirt, e.g. ``Version(1, 6, 2)``."""

    major: int
    minor: int
    patch: int

    @property
    def release(self) -> Release:
        """The minor release."""
        return Release(self.major, self.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Behaviour(msgspec.Struct, frozen=True):
    """The behaviour of one minor release: the reasons in virt-handler's order, and other differences."""

    release: Release
    order: tuple[Reason, ...]
    """
    The order of the reasons. The first reason that applies wins (``calculateLiveMigrationCondition`` of
    ``pkg/virt-handler/vm.go``).
    """
    completion_timeout_per_gib: int
    """Built-in ``completionTimeoutPerGiB`` in seconds (``pkg/virt-config/virt-config.go``)."""
    instancetype_versions: tuple[str, ...] = ("v1beta1", "v1alpha2", "v1alpha1")
    pool_versions: tuple[str, ...] = ("v1alpha1",)


_R = Reason
_UP_TO_1_2 = (
    _R.DISKS,
    _R.INTERFACE,
    _R.CPU_MODE,
    _R.VIRTIOFS,
    _R.HOST_DEVICE,
    _R.SEV,
    _R.PERSISTENT_RESERVATION,
    _R.NO_TSC,
)
_TAIL = (_R.PERSISTENT_RESERVATION, _R.NO_TSC, _R.HYPERV_PASSTHROUGH)
_HEAD = (_R.INTERFACE, _R.CPU_MODE, _R.HOST_DEVICE, _R.SEV)

TABLE: tuple[Behaviour, ...] = (
    Behaviour(Release(1, 0), (*_UP_TO_1_2, _R.DEDICATED_CPU), 800),
    Behaviour(Release(1, 1), _UP_TO_1_2, 800),
    Behaviour(Release(1, 2), _UP_TO_1_2, 800),
    Behaviour(Release(1, 3), (*_UP_TO_1_2, _R.HYPERV_PASSTHROUGH), 800),
    Behaviour(Release(1, 4), (*_UP_TO_1_2, _R.HYPERV_PASSTHROUGH), 150),
    Behaviour(Release(1, 5), (_R.DISKS, *_HEAD, *_TAIL), 150),
    Behaviour(Release(1, 6), (*_HEAD, _R.SECURE_EXECUTION, *_TAIL, _R.DISKS), 150, ("v1beta1",)),
    Behaviour(
        Release(1, 7),
        (*_HEAD, _R.TDX, _R.SECURE_EXECUTION, *_TAIL, _R.DISKS),
        150,
        ("v1beta1",),
        ("v1beta1", "v1alpha1"),
    ),
    Behaviour(
        Release(1, 8),
        (*_HEAD, _R.TDX, _R.SECURE_EXECUTION, *_TAIL, _R.DISKS),
        150,
        ("v1beta1",),
        ("v1beta1", "v1alpha1"),
    ),
    Behaviour(
        Release(1, 9),
        (*_HEAD, _R.TDX, _R.SECURE_EXECUTION, _R.NO_TSC, _R.HYPERV_PASSTHROUGH, _R.DISKS),
        150,
        ("v1beta1",),
        ("v1beta1", "v1alpha1"),
    ),
    Behaviour(
        Release(1, 10),
        (*_HEAD, _R.TDX, _R.SECURE_EXECUTION, _R.NO_TSC, _R.HYPERV_PASSTHROUGH, _R.DISKS),
        150,
        ("v1beta1",),
        ("v1beta1", "v1alpha1"),
    ),
)

Releases: TypeAlias = int
"""A set of releases. Bit *i* represents ``TABLE[i]``."""

NONE: Releases = 0
KNOWN: Releases = (1 << len(TABLE)) - 1
OLDEST: Release = TABLE[0].release
NEWEST: Release = Release(1, 9)
"""The newest release that is published."""
PREVIEW: Release = Release(1, 10)
"""The next release, as of the main branch on 2026-08-22 (d923fdb815). It may change until it is published."""
PREVIEW_AS_OF = "2026-08-22"
OLDEST_SUPPORTED = Release(1, 3)

_INDEX: dict[Release, int] = {behaviour.release: index for index, behaviour in enumerate(TABLE)}


def only(release: Release) -> Releases:
    """The set that contains only ``release``. The release must be in the table."""
    return 1 << _INDEX[release]


def since(release: Release) -> Releases:
    """The set of ``release`` and all newer releases."""
    return KNOWN & ~(only(release) - 1)


def before(release: Release) -> Releases:
    """The set of all releases older than ``release``."""
    return only(release) - 1


def split(releases: Releases, changes: Iterable[Release]) -> Iterator[Releases]:
    """Splits ``releases`` into groups, oldest first. A new group begins at each release in ``changes``. No group is empty."""
    rest = releases
    for change in sorted(changes):
        older, rest = rest & before(change), rest & ~before(change)
        if older:
            yield older
    if rest:
        yield rest


PUBLISHED: Releases = before(PREVIEW)
"""All known releases without the preview."""
SUPPORTED: Releases = since(OLDEST_SUPPORTED) & PUBLISHED
"""The releases that the value ``any`` selects, without the preview. A finding that holds in one of these releases is reported."""


def giving(reason: Reason) -> Releases:
    """The releases that can report ``reason``."""
    return sum(1 << index for index, behaviour in enumerate(TABLE) if reason in behaviour.order)


def behaviours(releases: Releases) -> Iterator[Behaviour]:
    """The table's entries in ``releases``, oldest first."""
    return (behaviour for index, behaviour in enumerate(TABLE) if releases >> index & 1)


def newest(releases: Releases) -> Behaviour:
    """The newest entry in ``releases``, which must not be empty."""
    return TABLE[releases.bit_length() - 1]


def describe(releases: Releases, among: Releases = SUPPORTED) -> str:
    """``releases`` in words: ``all``, ``1.3 to 1.4``, ``1.5 and later``, ``1.3, 1.6 to 1.8``, ``none``."""
    held = releases & among
    if held == among:
        return "all"
    words = [
        str(TABLE[first].release)
        if first == last
        else f"{TABLE[first].release} and later"
        if last == among.bit_length() - 1
        else f"{TABLE[first].release} to {TABLE[last].release}"
        for first, last in _runs(held)
    ]
    return ", ".join(words) or "none"


def releases_phrase(releases: Releases, among: Releases = SUPPORTED) -> str:
    """
    ``releases`` as part of a sentence: ``up to 1.4``, ``from 1.5 on``, ``in 1.3``, ``from 1.6 to 1.8``.

    The phrase ignores releases that are not in ``among``, so that it is short.
    """
    held = releases & among
    if held == among:
        return "in every release"
    known = [index for index in range(len(TABLE)) if among >> index & 1]
    words = []
    for first, last in _runs(held):
        start, end = TABLE[first].release, TABLE[last].release
        if last == known[-1]:
            words.append(f"from {start} on")
        elif first == last:
            words.append(f"in {start}")
        else:
            words.append(f"up to {end}" if first == known[0] else f"from {start} to {end}")
    return " and ".join(words) or "in no release"


@lru_cache(256)
def release_names(releases: Releases) -> tuple[str, ...]:
    """The names of ``releases``, oldest first: ``("1.3", "1.4")``."""
    return tuple(str(behaviour.release) for behaviour in behaviours(releases))


@lru_cache(256)
def releases_named(names: tuple[str, ...]) -> Releases:
    """The releases with these names. Other names are ignored."""
    return sum(1 << index for index, behaviour in enumerate(TABLE) if str(behaviour.release) in names)


def _runs(releases: Releases) -> Iterator[tuple[int, int]]:
    """First and last index of each unbroken run."""
    index = 0
    while releases >> index:
        if releases >> index & 1:
            first = index
            while releases >> index + 1 & 1:
                index += 1
            yield first, index
        index += 1


_PATCH_VERSION = r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?:[.\-+].*)?"
_VERSION = r"v?([0-9]{1,4})\.([0-9]{1,4})(?:[.\-+].*)?"


def parse_release(text: str) -> Release | None:
    """The minor release of a version such as ``v1.9.0``, ``1.9`` or ``v1.5.3-rc.1``, or None for other texts."""
    version = re.fullmatch(_VERSION, text.strip())
    return Release(int(version[1]), int(version[2])) if version else None


def parse_version(text: str) -> Version | None:
    """The patch release of a version such as ``v1.6.2`` or ``1.6.2-rc.1``, or None for other texts, such as ``1.6``."""
    version = re.fullmatch(_PATCH_VERSION, text.strip())
    return Version(*map(int, version.groups())) if version else None


def judged_as(release: Release) -> Release | None:
    """
    The release in the table whose behaviour is used for ``release``.

    A release newer than the table is judged as the newest release in the table. The result is None for a release older than the
    table.
    """
    return None if release < OLDEST else min(release, TABLE[-1].release)
