"""The number of processes for a check: the cores that this process may use."""

import os
from collections.abc import Iterator
from math import ceil
from os.path import join

MAX_DEFAULT = 8
"""Each process takes some 20 MiB, and the parent's own work limits the gain of more processes."""
_CGROUPS = "/sys/fs/cgroup"
_OWN = "/proc/self/cgroup"


def can_fork() -> bool:
    """Whether the system can start a process that has the memory of this one."""
    return hasattr(os, "fork")


def default_jobs() -> int:
    """The number of cores: those that the scheduler gives to this process, and at most the CPU limit of its control group."""
    if not hasattr(os, "sched_getaffinity"):  # not Linux: libraries of macOS do not work after a fork
        return 1
    limit = cpu_limit()
    cores = len(os.sched_getaffinity(0))
    return min(cores if limit is None else min(cores, ceil(limit)), MAX_DEFAULT)


def cpu_limit(own: str = _OWN, mounted: str = _CGROUPS) -> float | None:
    """
    The smallest CPU limit of the control groups of this process, in cores. The result is None without a limit.

    A container sees its own group at the root of the mounted groups, or at the path that the host uses.
    """
    limits = [limit for folder in _folders(own, mounted) if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def _folders(own: str, mounted: str) -> Iterator[str]:
    """The folders of the control groups of this process, and of those above them."""
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        folder = join(mounted, controllers)
        yield folder
        for name in path.strip("/").split("/"):
            folder = join(folder, name)
            yield folder


def _limit(folder: str) -> float | None:
    """The limit of one group: ``cpu.max`` in version 2, two files in version 1."""
    quota, _, period = _text(join(folder, "cpu.max")).strip().partition(" ")
    if not quota:
        quota, period = (_text(join(folder, f"cpu.cfs_{name}_us")).strip() for name in ("quota", "period"))
    if not quota.isdecimal() or not period.isdecimal() or not int(period):
        return None  # no limit: max, or -1
    return int(quota) / int(period)


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
