"""The report of ``explain-settings`` as text: the settings of each VM, their origin, and their effect."""

from collections.abc import Iterator, Sequence

from webhook.kubevirt.settings.budget import MIB
from webhook.kubevirt.settings.explain import FOLLOWS, Ending
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.report.settings_model import CaseReport, OutlookReport, SettingReport, SettingsReport, VmReport

ENDINGS = {
    Ending.POST_COPY: "post-copy: the guest continues on the target node, and is lost if the connection breaks",
    Ending.PAUSE: "the guest is paused; if the same time passes again, the migration is cancelled",
    Ending.CANCEL: "the migration is cancelled; the guest keeps running on the source node",
    Ending.NEVER: "never; a migration that does not finish runs forever",
    Ending.AT_ONCE: "before it starts: every migration is cancelled immediately",
}
BY_POLICY = frozenset(name for name, setting in SETTINGS.items() if setting.policy)
"""
Settings that a MigrationPolicy can set. These settings are shown for each VM. Other settings are shown only once, for the
cluster.
"""
_LABEL = 14


def render(report: SettingsReport) -> str:
    """The text: a block for the cluster, a block for each VM, and the notes."""
    blocks = [list(_cluster(report)), *(list(_vm(vm)) for vm in report.machines)]
    if report.notes:
        blocks.append([f"note: {note}" for note in report.notes])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _cluster(report: SettingsReport) -> Iterator[str]:
    yield f"KubeVirt {report.release}, for a VM that no MigrationPolicy matches"
    yield from _settings(report.cluster.settings)
    yield from _limits(report.cluster)


def _vm(vm: VmReport) -> Iterator[str]:
    name = "/".join(part for part in (vm.namespace, vm.name) if part) or "(no name)"
    yield f"{vm.kind} {name}"
    if vm.live_migratable is False:
        yield from _row(
            "verdict",
            f"cannot be live-migrated with any settings ({vm.reason or 'first reason unproven'}): run `migratable check`",
        )
    yield from _row("memory", _memory(vm))
    for disk in vm.local_disks:
        most = f"up to {_mebibytes(disk.most_bytes)}" if disk.most_bytes is not None else "all data written to it"
        time = "" if disk.brings_time else ", without extra time"
        yield from _row("local disk", f"{disk.volume}: {most} is also copied{time}")
    for moved in vm.moved_volumes:
        size = _mebibytes(moved.bytes) if moved.bytes is not None else "a PVC of unknown size"
        yield from _row("volume", f"{moved.volume}: a volume migration copies {size} (PVC {moved.claim!r})")
    if vm.device is not None:
        yield from _row("device", f"{vm.device}: from 1.9 on, a VM with a host device does not use post-copy")
    for case in vm.cases:
        policy = f"MigrationPolicy {case.policy!r}: " if case.policy is not None else ""
        yield from _row("settings", f"{policy}{case.because}")
        yield from _settings([setting for setting in case.settings if setting.name in BY_POLICY], " " * _LABEL)
        yield from _limits(case)
        if case.outlook is not None:
            yield from _outlook(case.outlook)
        if case.volume_migration is not None:
            yield from _volume_migration(case.volume_migration)


def _memory(vm: VmReport) -> str:
    if vm.memory_bytes is not None:
        return f"{_mebibytes(vm.memory_bytes)} ({vm.memory_path})"
    return f"unknown: {vm.memory_unknown}" if vm.memory_unknown is not None else "not set in the VM"


def _settings(settings: Sequence[SettingReport], indent: str = "") -> Iterator[str]:
    width = max((len(setting.name) for setting in settings), default=0)
    values = [_value(setting.value) for setting in settings]
    wide = max(map(len, values), default=0)
    for setting, value in zip(settings, values, strict=True):
        origin = setting.origin if setting.origin == FOLLOWS else f"by {setting.origin}"
        yield f"{indent}  {setting.name:<{width}}  {value:<{wide}}  {origin}"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _limits(case: CaseReport) -> Iterator[str]:
    if case.when_time_is_over is None:
        yield from _row("time", "unknown: KubeVirt does not accept the value of bandwidthPerMigration")
        return
    rate = f"{case.bytes_per_second / MIB:.2f} MiB/s" if case.bytes_per_second else "no known limit"
    yield from _row("bandwidth", rate)
    yield from _row("on timeout", ENDINGS[Ending(case.when_time_is_over)])
    largest = f"{_mebibytes(case.largest_bytes)} at most" if case.largest_bytes is not None else "any size"
    yield from _row("can finish", largest)


def _outlook(outlook: OutlookReport) -> Iterator[str]:
    allowed = f"{outlook.allowed_seconds} s" if outlook.allowed_seconds is not None else "no limit"
    yield from _row("time allowed", f"{allowed} ({outlook.counted_gigabytes} GB, rounded up)")
    best = f"{outlook.best_case_seconds} s" if outlook.best_case_seconds is not None else "unknown"
    yield from _row("best case", best)
    if not outlook.finishes:
        yield "  WARNING: this VM cannot finish a migration if it uses all of its memory"
    elif outlook.fails_once_full:
        disks = " and ".join(outlook.fails_once_full)
        full = "is full" if len(outlook.fails_once_full) == 1 else "are full"
        yield f"  WARNING: once {disks} {full}, this VM cannot finish a migration"


def _volume_migration(outlook: OutlookReport) -> Iterator[str]:
    allowed = f"{outlook.allowed_seconds} s" if outlook.allowed_seconds is not None else "no limit"
    best = f"{outlook.best_case_seconds} s" if outlook.best_case_seconds is not None else "unknown"
    yield from _row("with volumes", f"time allowed {allowed} ({outlook.counted_gigabytes} GB), best case {best}")
    if not outlook.finishes:
        yield "  WARNING: this VM cannot finish a migration of its volumes"


def _row(label: str, text: str) -> Iterator[str]:
    yield f"  {label:<{_LABEL}}{text}"


def _mebibytes(size: int | None) -> str:
    """The size in MiB, rounded down."""
    return f"{(size or 0) // MIB}Mi"
