"""
The shape of ``explain-settings -o json``; the text is made of it too.

``apiVersion`` names the version of this shape; fields are only ever added.
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

MOST = 2**63 - 1


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the answer; every field is always present."""


class SettingReport(_Part, frozen=True):
    """A setting in force, and who made it."""

    name: str
    value: Json
    origin: str


class OutlookReport(_Part, frozen=True):
    """What the settings mean for a VM of known memory; times in seconds, null where nothing bounds them."""

    counted_gigabytes: int
    allowed_seconds: int | None
    best_case_seconds: int | None
    finishes: bool
    """In the best case: every page in use, none written twice."""
    fails_once_full: list[str]
    """The empty disks that, once full, keep it from finishing."""


class CaseReport(_Part, frozen=True):
    """The settings under one MigrationPolicy (null: under none), and what they give."""

    policy: str | None
    because: str
    settings: list[SettingReport]
    bytes_per_second: int | None
    """Of one migration in the best case; null where nothing known bounds it."""
    largest_bytes: int | None
    """The most that can still be carried in time; null where any size can."""
    when_time_is_over: str | None
    """``post-copy``, ``pause``, ``cancel``, ``never``, ``at once``; null where the bandwidth is none that KubeVirt takes."""
    outlook: OutlookReport | None


class DiskReport(_Part, frozen=True):
    """A disk that is copied with the memory; ``mostBytes`` is null where nothing says how much it can hold."""

    volume: str
    path: str
    most_bytes: int | None
    brings_time: bool


class MachineReport(_Part, frozen=True):
    """One VM; there are several cases where it is not known which policy wins."""

    kind: str
    namespace: str
    name: str
    live_migratable: bool | None
    """KubeVirt's own answer, whatever the settings; null where it is unproven."""
    reason: str | None
    cases: list[CaseReport]
    memory_bytes: int | None
    memory_path: str | None
    memory_unknown: str | None
    """Why the memory is not known, where something else holds it."""
    local_disks: list[DiskReport]
    device: str | None
    """The path of a device of the node, with which KubeVirt 1.9 never turns to post-copy."""


class SettingsReport(_Part, frozen=True):
    """The whole answer."""

    api_version: str
    kind: str
    release: str
    cluster: CaseReport
    """What holds for a VM that no MigrationPolicy matches."""
    machines: list[MachineReport]
    notes: list[str]


def build(
    release: str, cluster: Case, machines: Sequence[tuple[Explained, Verdict | None]], notes: Sequence[str]
) -> SettingsReport:
    """The answer."""
    return SettingsReport(
        API_VERSION,
        "MigrationSettings",
        release,
        _case(cluster, None),
        [_machine(each, verdict) for each, verdict in machines],
        [printable(each) for each in notes],
    )


def render(report: SettingsReport) -> str:
    """The answer as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _machine(each: Explained, verdict: Verdict | None) -> MachineReport:
    memory = each.memory
    return MachineReport(
        each.kind,
        printable(each.namespace),
        printable(each.name),
        verdict.live_migratable if verdict is not None else None,
        verdict.reason.value if verdict is not None and verdict.reason is not None else None,
        [_case(case, each.outlook(case)) for case in each.cases],
        _number(memory.value) if isinstance(memory, Sourced) else None,
        dotted(memory.path) if isinstance(memory, Sourced) else None,
        printable(memory.why) if isinstance(memory, Unknown) else None,
        [DiskReport(printable(disk.volume), dotted(disk.path), _number(disk.most), disk.counts) for disk in each.disks],
        dotted(each.device) if each.device is not None else None,
    )


def _case(case: Case, outlook: Outlook | None) -> CaseReport:
    budget: Budget | None = case.budget if case.sound else None
    return CaseReport(
        printable(case.policy) if case.policy else None,
        printable(case.because),
        [_setting(each) for each in case.settings],
        _number(budget.rate() or None) if budget is not None else None,
        _number(budget.largest()) if budget is not None else None,
        case.ending.value if budget is not None else None,
        _outlook(outlook),
    )


def _setting(each: Effective) -> SettingReport:
    value = each.value
    if isinstance(value, str):
        value = printable(value)
    elif isinstance(value, int) and _number(value) != value:
        value = printable(str(value))
    return SettingReport(each.name, value, printable(each.origin))


def _number(number: int | None) -> int | None:
    """The number, or the nearest one that fits into 64 bits: no JSON reader is promised more."""
    return None if number is None else max(-MOST - 1, min(MOST, number))


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
