"""The workloads of ``benchmarks.compare``: the command line with manifests, and parts of admission in one process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.launching import run

READING = Path(__file__).with_name("reading.py")
STAGES = re.compile(r"^(\S.*?) +([\d.]+) us\b", re.MULTILINE)
"""A line of ``benchmarks.stages``."""
_START = "import webhook.__main__ as program; getattr(program, 'script', program.main)()"
"""Older checkouts have no function ``script``."""


class Failed(Exception):
    """A checkout could not do the work."""


@dataclass(frozen=True)
class Checkout:
    """A working tree of this project, and the Python that runs it."""

    folder: Path
    python: Path

    @classmethod
    def at(cls, folder: Path, python: Path | None = None) -> "Checkout":
        """The tree in a folder, with the Python of its own environment if none is given. Else this Python runs it."""
        own = folder.resolve() / ".venv" / "bin" / "python"
        return cls(folder.resolve(), python or (own if own.exists() else Path(sys.executable)))

    @property
    def environment(self) -> dict[str, str]:
        """Its packages come first, and equal runs have equal hashes."""
        return {"PYTHONPATH": str(self.folder), "PYTHONHASHSEED": "0"}

    @property
    def compiled_modules(self) -> int:
        """How many modules of the tree are extension modules."""
        return sum(1 for _ in (self.folder / "webhook").rglob("*.so"))


Sample = Callable[[Checkout], Mapping[str, float]]
"""One measurement: CPU time, by the name of the part. Raises Failed."""


@dataclass(frozen=True)
class Workload:
    """Something that both checkouts do in turn."""

    name: str
    sample: Sample


def start_up(file: Path, repeats: int = 3) -> Sample:
    """`migratable check` of one small file: seconds, the best of a few runs."""
    return lambda side: {"start-up, one small file": min(_checked(side, file) for _ in range(repeats))}


def check(name: str, folder: Path, small: Path) -> Sample:
    """`migratable check` of a folder: seconds beyond those of a small file, which would hide a slow-down of the rest."""
    return lambda side: {name: max(_checked(side, folder) - _checked(side, small), 1e-6)}


def _checked(side: Checkout, path: Path) -> float:
    ran = run(
        [side.python, "-P", "-c", _START, "check", "--isolated", path], environment=side.environment, folder=path.parent
    )
    if ran.has_failed:
        raise Failed(f"`migratable check` ended with {ran.status} in {side.folder}:\n{ran.err[-2000:]}")
    return ran.cpu


def reading(files: Path, rounds: int) -> Sample:
    """The reader of manifests in one process: microseconds for each file."""
    return lambda side: json.loads(_printed(side, [READING, files, rounds]).splitlines()[-1])


def stages(rounds: int, names: tuple[str, ...]) -> Sample:
    """Parts of an admission review, by the checkout's own ``benchmarks.stages``: microseconds."""

    def sample(side: Checkout) -> Mapping[str, float]:
        found = {
            name: float(micros) for name, micros in STAGES.findall(_printed(side, ["-m", "benchmarks.stages", rounds]))
        }
        return {f"admission: {name}": found[name] for name in names if name in found}

    return sample


def _printed(side: Checkout, arguments: list[object]) -> str:
    argv = [side.python, "-P", *arguments]
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=side.folder,
        env={**inherited, **side.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
