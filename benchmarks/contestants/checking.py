"""
Manifest checkers that stand beside ours in ``benchmarks.manifests``, each with its defaults, and what each is to find.

The checks are those of this package; who sees one object at a time cannot look up claims and leaves out the fifth.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.building import built
from tests.apiserver.clusters.shape import CHECKS

HERE = Path(__file__).resolve().parent
_MANIFESTS = HERE / "manifests"
OURS = "migratable, all rules"
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
    most: int = 10_000
    """It is not asked for more machines than that."""


def _lines(pattern: str) -> Found:
    def found(text: str) -> set[str]:
        lines = [line for line in text.splitlines() if re.search(pattern, line)]
        return {name for line in lines for name in re.findall(_NAME, line)[:1]}

    return found


def _decisions(text: str) -> set[str]:
    return {Path(entry["path"]).stem for entry in json.loads(text)["result"] if entry.get("result")}


def ours(python: str = sys.executable) -> Checker:
    """``migratable check`` as the ``migratable`` script calls it."""
    start = "from webhook.__main__ import main; main()"
    return Checker(lambda folder: [python, "-c", start, "check", folder], FIVE, _lines(r"^  deny LM"))


ALL: Mapping[str, Checker] = {
    OURS: ours(),
    "kubeconform, schema only": Checker(
        lambda folder: [
            *(built("kubeconform"), "-summary", "-schema-location"),
            *(f"{_MANIFESTS}/schemas/{{{{.ResourceKind}}}}.json", folder),
        ],
        frozenset(),
        _lines("invalid"),
    ),
    "opa exec, 1 to 4": Checker(
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
    "gator test, 1 to 5": Checker(
        lambda folder: [
            *(built("gator"), "test", "-f", HERE / "gatekeeper" / "template.yaml"),
            *("-f", HERE / "gatekeeper" / "constraint.yaml", "-f", folder),
        ],
        FIVE,
        _lines("Message:"),
    ),
    "kyverno apply, 1 to 4": Checker(
        lambda folder: [built("kyverno"), "apply", _MANIFESTS / "kyverno.yaml", "--resource", folder],
        FOUR,
        _lines("failed:"),
    ),
}
"""Ours first: ratios are to it."""
