"""
The small process between a benchmark and the command that it measures: `python -I -S launcher.py`.

A process that is started from a large one is counted as large, because the peak outlives exec. Standard input is a JSON object
with the command, which may be too long for one argument. The last line of output is a JSON object with the figures.
"""

import json
import os
import resource
import select
import sys
import time
from pathlib import Path

INTERVAL_MS = 10


def main() -> None:
    options = json.load(sys.stdin)
    if options["cores"]:
        os.sched_setaffinity(0, options["cores"])
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # gator keeps all files open
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        try:
            os.execvp(options["argv"][0], options["argv"])
        except OSError as error:
            print(f"{options['argv'][0]}: {error.strerror}", file=sys.stderr)
            os._exit(127)
    together, processes = watch(pid) if options["watched"] else (0.0, 1)
    _, status, used = os.wait4(pid, 0)
    figures = {
        "status": os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - began,
        "peak": together if processes > 1 else used.ru_maxrss / 1024,
        "processes": processes,
    }
    print("\n" + json.dumps(figures))


def watch(pid: int) -> tuple[float, int]:
    """
    Until the process ends: the most MiB of it and its descendants together, and the most processes at one time.

    Pages that processes share count once (PSS, proc_pid_smaps(5)).
    """
    most, processes = 0.0, 1
    poll = select.poll()
    poll.register(os.pidfd_open(pid), select.POLLIN)
    while not poll.poll(INTERVAL_MS):
        tree = descendants(pid)
        processes = max(processes, len(tree))
        if len(tree) > 1 or processes > 1:
            most = max(most, sum(map(proportional_mib, tree)))
    return most, processes


def descendants(pid: int) -> list[int]:
    """The process and those that it started, and so on."""
    found = [pid]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:  # it has ended
            continue
    return found


def proportional_mib(pid: int) -> float:
    """Its memory, of which a page that several processes share counts in parts. 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
