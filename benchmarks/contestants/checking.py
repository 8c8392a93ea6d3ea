"""
Manifest checkers that stand beside ours in ``benchmarks.manifests``, each with its defaults, and what each is to find.

The checks are those of this package; who sees one object at a time cannot look up claims and leaves out the fifth.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.building import built
from tests.apiserver.clusters.shape import CHECKS

HERE = Path(__file__).resolve().parent
_MANIFESTS = HERE / "manifests"
OURS = "migratable, all rules"
KUBECONFORM = "kubeconform, schema only"
OPA = "opa exec, 1 to 4"
GATOR = "gator test, 1 to 5"
KYVERNO = "kyverno apply, 1 to 4"
FIVE = frozenset(CHECKS)
FOUR = FIVE - {"claim"}
_NAME = r"vm-\d{5}"

Found: TypeAlias = Callable[[str], set[str]]
"""From what a tool printed to the names of the machines that it found something wrong with."""


@dataclass(frozen=True, slots=True)
class Checker:
    """A tool: how it is run over a folder, which checks it does, and how its answer is read."""

    argv: Callable[[Path], list[object]]
    checks: frozenset[str]
    found: Found
    forks: bool = False
    """Whether it starts processes, so that the memory of all of them is measured in a run of its own."""


def _lines(pattern: str) -> Found:
    def found(text: str) -> set[str]:
        lines = [line for line in text.splitlines() if re.search(pattern, line)]
        return {name for line in lines for name in re.findall(_NAME, line)[:1]}

    return found


def _decisions(text: str) -> set[str]:
    paths = [entry["path"] for entry in json.loads(text)["result"] if entry.get("result")]
    return {name for path in paths for name in re.findall(_NAME, path)[:1]}


def _resources(folder: Path) -> Iterator[object]:
    """Kyverno reads neither subfolders nor a second folder."""
    files = list(folder.glob("*/**/*.yaml"))
    for path in [*folder.glob("*.yaml"), *files] if files else [folder]:
        yield from ("--resource", path)


def ours(python: str = sys.executable) -> Checker:
    """``migratable check`` as the ``migratable`` script calls it."""
    start = "from webhook.__main__ import script; script()"
    return Checker(lambda folder: [python, "-c", start, "check", folder], FIVE, _lines(r"^  deny LM"), forks=True)


ALL: Mapping[str, Checker] = {
    OURS: ours(),
    KUBECONFORM: Checker(
        lambda folder: [
            *(built("kubeconform"), "-summary", "-schema-location"),
            *(f"{_MANIFESTS}/schemas/{{{{.ResourceKind}}}}.json", folder),
        ],
        frozenset(),
        _lines("invalid"),
    ),
    OPA: Checker(
        lambda folder: [
            *(built("opa"), "exec", "--bundle", _MANIFESTS / "each", "--decision", "main/deny", folder),
        ],
        FOUR,
        _decisions,
    ),
    "conftest, 1 to 4": Checker(
        lambda folder: [built("conftest"), "test", "--policy", _MANIFESTS / "each", folder], FOUR, _lines("FAIL")
    ),
    "conftest --combine, 1 to 5": Checker(
        lambda folder: [built("conftest"), "test", "--combine", "--policy", _MANIFESTS / "combined", folder],
        FIVE,
        _lines("FAIL"),
    ),
    GATOR: Checker(
        lambda folder: [
            *(built("gator"), "test", "-f", HERE / "gatekeeper" / "template.yaml"),
            *("-f", HERE / "gatekeeper" / "constraint.yaml", "-f", folder),
        ],
        FIVE,
        _lines("Message:"),
    ),
    KYVERNO: Checker(
        lambda folder: [built("kyverno"), "apply", _MANIFESTS / "kyverno.yaml", *_resources(folder)],
        FOUR,
        _lines("failed:"),
    ),
}
"""Ours first: ratios are to it."""
