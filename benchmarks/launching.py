"""Runs a command in a small process of its own, and measures it: CPU time, wall time and peak memory. Linux only."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a command."""

    status: int
    cpu: float
    """Seconds of user and system time: the process, its threads, and the processes that it started and waited for."""
    wall: float
    """Seconds."""
    peak: float
    """MiB: the largest resident set of a process. If the run was watched and had several processes, of all together."""
    processes: int
    """The most processes at one time. It is 1 if the run was not watched."""
    out: str
    err: str

    @property
    def has_failed(self) -> bool:
        """Whether it could not do its work; 1 says that it found something."""
        return self.status not in (0, 1)


def run(
    command: Sequence[object],
    *,
    watched: bool = False,
    cores: Collection[int] = (),
    environment: Mapping[str, str] = {},
    folder: Path | None = None,
) -> Ran:
    """
    Runs a command without a terminal.

    ``watched`` adds the memory of all its processes, which slows the run a little. ``cores`` are the only ones that it may use.
    """
    options = {"argv": [str(part) for part in command], "watched": watched, "cores": sorted(cores)}
    argv = [sys.executable, "-I", "-S", str(LAUNCHER)]
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        subprocess.run(
            argv,
            check=True,
            stdout=out,
            stderr=err,
            input=json.dumps(options).encode(),
            env={**inherited, "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **environment},
            cwd=folder,
        )
        out.seek(0)
        err.seek(0)
        said, _, last = out.read().decode(errors="replace").rstrip("\n").rpartition("\n")
        return Ran(**json.loads(last), out=said, err=err.read().decode(errors="replace"))
