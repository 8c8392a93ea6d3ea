"""Keeps what a run without a mutation found out about the tests of a package, file by file (``.cache/mutants``)."""

from __future__ import annotations

import json
from typing import Any, Final

from tools.mutants.packages import RESULTS, Package, hash_of
from tools.mutants.running import ROOT, Tests, file_of

VERSION: Final = "1"


class Record:
    """
    Which functions each test calls and how long it takes.

    A record is valid as long as the test file and the package's modules are unchanged.
    """

    def __init__(self, package: Package) -> None:
        self._path = RESULTS / f"tests.{package.name.replace('/', '.')}.json"
        modules = [(ROOT / path).read_text() for path in package.modules]
        self._hashes = {path: hash_of(VERSION, (ROOT / path).read_text(), *modules) for path in package.test_files()}

    def load(self) -> Tests:
        """The records that are still valid."""
        tests = Tests()
        for path, known in self._read().items():
            if known["hash"] != self._hashes.get(path):
                continue
            for name, (seconds, called, failed) in known["tests"].items():
                tests.seconds[name] = seconds
                tests.called[name] = {(module, function) for module, function in called}
                if failed:
                    tests.failed.add(name)
        return tests

    def save(self, tests: Tests) -> None:
        """Write everything down."""
        known: dict[str, Any] = {path: {"hash": text, "tests": {}} for path, text in self._hashes.items()}
        for name, called in tests.called.items():
            known[file_of(name)]["tests"][name] = [tests.seconds[name], sorted(called), name in tests.failed]
        RESULTS.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(known))

    def _read(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}
        return known
