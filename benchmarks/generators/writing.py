"""Writes a folder of manifests in one of the ways that a repository holds them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from benchmarks.generators import lived_in, rendered, tidy
from benchmarks.generators.vms import name_of

Files: TypeAlias = Callable[[int], Mapping[str, str]]
"""From the number of a VM to its files, by path."""


def _one_file(manifest: Callable[[int], str]) -> Files:
    return lambda number: {f"{name_of(number)}.yaml": manifest(number)}


GENERATORS: Mapping[str, Files] = {
    "tidy": _one_file(tidy.manifest),
    "lived-in": _one_file(lived_in.manifest),
    "rendered": rendered.files,
}


def write(folder: Path, vms: int, generator: str = "tidy") -> int:
    """Writes the files of so many VMs. Returns the number of files."""
    folder.mkdir()
    files = 0
    for number in range(vms):
        for path, text in GENERATORS[generator](number).items():
            target = folder / path
            if "/" in path:
                target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            files += 1
    return files
