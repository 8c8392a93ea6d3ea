"""
The report of ``explain-settings``: ``-o json`` prints it, and the text is rendered from it.

``apiVersion`` is the version of the report format. New versions of Migratable only add fields.
"""

from collections.abc import Sequence

import msgspec

from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.settings.budget import Budget
from webhook.kubevirt.settings.explain import Case, Effective, Explained, Outlook
from webhook.kubevirt.verdict import Verdict
from webhook.objects.meta import Json
from webhook.objects.path import dotted
from webhook.report.model import API_VERSION
from webhook.report.printable import printable

MAX_INT = 2**63 - 1


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the report. Every field is always present."""


class SettingReport(_Part, frozen=True):
    """A setting, its value, and the object that sets it."""

    name: str
    value: Json
    origin: str


class OutlookReport(_Part, frozen=True):
    """The effect of the settings on a VM whose memory size is known. Times are in seconds. Null means no limit."""

    counted_gigabytes: int
    allowed_seconds: int | None
    best_case_seconds: int | None
    finishes: bool
    """Whether a migration finishes if all memory is in use and no page is written again (the best case)."""
    fails_once_full: list[str]
    """The empty disks that prevent the migration from finishing once they are full."""


class CaseReport(_Part, frozen=True):
    """
    The settings that apply with one MigrationPolicy, and the resulting limits. ``policy`` is null if no MigrationPolicy
    applies.
    """

    policy: str | None
    because: str
    settings: list[SettingReport]
    bytes_per_second: int | None
    """The bandwidth of one migration in the best case. Null means that no limit is known."""
    largest_bytes: int | None
    """The maximum number of bytes that can be copied in time. Null means no limit."""
    when_time_is_over: str | None
    """``post-copy``, ``pause``, ``cancel``, ``never`` or ``at once``. Null if KubeVirt does not accept the bandwidth."""
    outlook: OutlookReport | None
    volume_migration: OutlookReport | None = None
    """The effect on a volume migration, with the sizes of its PVCs. Null if there is none, or if a size is unknown."""


class MovedVolumeReport(_Part, frozen=True):
    """A PVC that a volume migration copies. ``bytes`` is null if its size is unknown."""

    volume: str
    claim: str
    path: str
    bytes: int | None


class DiskReport(_Part, frozen=True):
    """A local disk that is copied with the memory. ``mostBytes`` is null if the size of the disk is unknown."""

    volume: str
    path: str
    most_bytes: int | None
    brings_time: bool


class VmReport(_Part, frozen=True):
    """A VM. A VM has several cases if several MigrationPolicies might apply."""

    kind: str
    namespace: str
    name: str
    live_migratable: bool | None
    """KubeVirt's verdict, which does not depend on the settings. The value is null if the verdict is unproven."""
    reason: str | None
    cases: list[CaseReport]
    memory_bytes: int | None
    memory_path: str | None
    memory_unknown: str | None
    """The reason why the memory is unknown, if another object defines it."""
    local_disks: list[DiskReport]
    device: str | None
    """The path of a host device. KubeVirt 1.9 does not use post-copy for a VM with a host device."""
    moved_volumes: list[MovedVolumeReport] = []
    """The PVCs of a VM with `updateVolumesStrategy: Migration`."""


class SettingsReport(_Part, frozen=True):
    """The whole report."""

    api_version: str
    kind: str
    release: str
    cluster: CaseReport
    """The settings for a VM that no MigrationPolicy matches."""
    machines: list[VmReport]
    notes: list[str]


def build(
    release: str, cluster: Case, machines: Sequence[tuple[Explained, Verdict | None]], notes: Sequence[str]
) -> SettingsReport:
    """The report on the VMs."""
    return SettingsReport(
        API_VERSION,
        "MigrationSettings",
        release,
        _case(cluster, None),
        [_vm(explained, verdict) for explained, verdict in machines],
        [printable(note) for note in notes],
    )


def render(report: SettingsReport) -> str:
    """The report as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _vm(explained: Explained, verdict: Verdict | None) -> VmReport:
    memory = explained.memory
    return VmReport(
        explained.kind,
        printable(explained.namespace),
        printable(explained.name),
        verdict.live_migratable if verdict is not None else None,
        verdict.reason.value if verdict is not None and verdict.reason is not None else None,
        [_case(case, explained.outlook(case), explained.volume_outlook(case)) for case in explained.cases],
        _number(memory.value) if isinstance(memory, Sourced) else None,
        dotted(memory.path) if isinstance(memory, Sourced) else None,
        printable(memory.why) if isinstance(memory, Unknown) else None,
        [
            DiskReport(printable(disk.volume), dotted(disk.path), _number(disk.most), disk.counts)
            for disk in explained.disks
        ],
        dotted(explained.device) if explained.device is not None else None,
        [
            MovedVolumeReport(printable(one.volume), printable(one.claim), dotted(one.path), _number(one.size))
            for one in explained.moved
        ],
    )


def _case(case: Case, outlook: Outlook | None, moving: Outlook | None = None) -> CaseReport:
    budget: Budget | None = case.budget if case.is_valid else None
    return CaseReport(
        printable(case.policy) if case.policy else None,
        printable(case.because),
        [_setting(setting) for setting in case.settings],
        _number(budget.rate() or None) if budget is not None else None,
        _number(budget.largest()) if budget is not None else None,
        case.ending.value if budget is not None else None,
        _outlook(outlook),
        _outlook(moving),
    )


def _setting(setting: Effective) -> SettingReport:
    value = setting.value
    if isinstance(value, str):
        value = printable(value)
    elif isinstance(value, int) and _number(value) != value:
        value = printable(str(value))
    return SettingReport(setting.name, value, printable(setting.origin))


def _number(number: int | None) -> int | None:
    """The number, limited to 64 bits, because some JSON readers do not support larger numbers."""
    return None if number is None else max(-MAX_INT - 1, min(MAX_INT, number))


def _outlook(outlook: Outlook | None) -> OutlookReport | None:
    if outlook is None:
        return None
    return OutlookReport(
        outlook.counted,
        _number(outlook.allowed),
        _number(outlook.duration),
        outlook.finishes,
        [printable(disk.volume) for disk in outlook.fails_with],
    )
