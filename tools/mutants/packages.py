"""The packages whose mutants are counted (``nearest.toml``), and what is known of each mutant (``.cache/mutants``)."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.mutants.mutating import Module, Mutant
from tools.mutants.running import ROOT, SURVIVED, file_of

HERE: Final = Path(__file__).parent
RESULTS: Final = ROOT / ".cache" / "mutants"


@dataclass(frozen=True)
class Package:
    """Modules that share a floor and their nearest tests."""

    name: str
    floor: float
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def test_files(self) -> list[str]:
        """The files with tests, in the order in which they are listed."""
        return [*self.ranks()]

    def ranks(self) -> dict[str, int]:
        """The position in the list of tests of the entry that each file with tests comes from."""
        listed = [(path, rank) for rank, entry in enumerate(self.tests) for path in _files(entry)]
        return {path: rank for path, rank in reversed(listed) if Path(path).name.startswith("test_")}


def packages() -> list[Package]:
    """All of them, as written in ``nearest.toml``."""
    listed = tomllib.loads((HERE / "nearest.toml").read_text())["package"]
    return [
        Package(
            entry["name"],
            entry["floor"],
            tuple(path for glob in entry["modules"] for path in _files(glob) if path not in entry.get("without", {})),
            tuple(entry["tests"]),
        )
        for entry in listed
    ]


def mirror_of(module: str) -> str:
    """The test file that mirrors a module; it may not exist."""
    path = Path(module)
    within = path.relative_to("webhook") if path.parts[0] == "webhook" else path
    return str(Path("tests") / within.with_name(f"test_{within.name}"))


@dataclass
class Results:
    """
    The results of one module's mutants: the test that killed each, or that it survived.

    A result holds as long as the module and its mutants are unchanged and, for a mutant that was killed, the test file
    that killed it. A survivor is tried again with the test files that have changed.
    """

    module: Module
    package: Package
    known: dict[int, str] = field(default_factory=dict)
    """By a mutant's number: the test that killed it, or `SURVIVED`."""
    untried: dict[int, frozenset[str]] = field(default_factory=dict)
    """By a mutant's number: the test files that have yet to be tried."""

    def __post_init__(self) -> None:
        self._file = RESULTS / f"{self.module.path.replace('/', '.')}.jsonl"
        self._source = hash_of(self.module.source, *(mutant.change for mutant in self.module.mutants))
        self._tests = {path: hash_of((ROOT / path).read_text()) for path in self.package.test_files()}
        self.forget()

    def load(self) -> None:
        """Read the results that still hold."""
        self.forget()
        if not self._file.exists():
            return
        for line in self._file.read_text().splitlines():
            source, number, result, proof = json.loads(line)
            if source != self._source:
                continue
            if result == SURVIVED:
                self.untried[number] = frozenset(path for path, text in self._tests.items() if proof.get(path) != text)
            elif any(self._tests.get(path) != text for path, text in proof.items()):
                self.untried[number] = frozenset(self._tests)
                continue
            else:
                self.untried[number] = frozenset()
            self.known[number] = result

    def add(self, mutant: Mutant, result: str) -> None:
        """Write down one result at once, so that an interrupted run can go on."""
        self.known[mutant.number] = result
        self.untried[mutant.number] = frozenset()
        killer = file_of(result)
        proof = self._tests if result == SURVIVED else {killer: self._tests[killer]} if killer in self._tests else {}
        RESULTS.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            file.write(json.dumps([self._source, mutant.number, result, proof]) + "\n")

    def forget(self) -> None:
        """Start from nothing."""
        self.known = {}
        self.untried = {mutant.number: frozenset(self._tests) for mutant in self.module.mutants}

    def delete(self) -> None:
        """Forget what earlier runs found."""
        self._file.unlink(missing_ok=True)
        self.forget()

    def pending(self) -> list[Mutant]:
        """The mutants with test files that have yet to be tried."""
        return [mutant for mutant in self.module.mutants if self.untried[mutant.number]]

    def survivors(self) -> list[Mutant]:
        """The mutants that no test killed."""
        return [mutant for mutant in self.module.mutants if self.known.get(mutant.number) == SURVIVED]


def _files(pattern: str) -> Iterable[str]:
    paths = ROOT.glob(pattern)
    return sorted(
        str(path.relative_to(ROOT)) for match in paths for path in (match.rglob("*.py") if match.is_dir() else [match])
    )


def hash_of(*texts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
