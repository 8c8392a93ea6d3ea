"""
Measures how many mutants of the core the nearest tests kill: ``python -m tools.mutants [--only PATH] [--jobs N]``.

Exits with 1 when a package is below its floor, when a survivor is not explained in ``equivalent.toml``, or when an
explanation is out of date.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import pytest

from tools.mutants import running
from tools.mutants.mutating import Module, Mutant
from tools.mutants.packages import RESULTS, Package, Results, mirror_of, packages
from tools.mutants.recording import Record
from tools.mutants.running import ROOT, SURVIVED, TIMEOUT, Called, Job, Tests, file_of
from tools.mutants.survivors import outdated, unexplained

BUDGET: Final = 3.0
"""Seconds that tests of other files than the mirroring one may take for a mutant, measured while calls are traced."""
THIRD_PARTY: Final = (
    "cryptography.x509", "fastapi", "hypothesis.strategies", "hypothesis.stateful", "jsonpatch", "jsonschema_rs",
    "kubernetes.client", "markdown_it", "msgspec", "prometheus_client", "pydantic", "pytest", "uvicorn", "yaml",
)  # fmt: skip
"""Imported before processes are forked, for speed alone."""


def main() -> int:
    """Run what has no result yet, print the table and the survivors."""
    arguments = _arguments()
    os.chdir(ROOT)
    chosen = [package for package in packages() if not arguments.only or set(package.modules) & set(arguments.only)]
    for name in THIRD_PARTY:
        importlib.import_module(name)
    reports = []
    for package in chosen:
        started = time.monotonic()
        results = [
            Results(Module(path, (ROOT / path).read_text()), package)
            for path in package.modules
            if not arguments.only or path in arguments.only
        ]
        for result_set in results:
            result_set.delete() if arguments.fresh else result_set.load()
        measure(package, results, arguments.jobs)
        reports.append((package, results, time.monotonic() - started))
    return report(reports)


def measure(package: Package, results: Sequence[Results], jobs: int) -> None:
    """Find out about every mutant without a result. Files that are edited meanwhile count as they were at the start."""
    record = Record(package)
    if any(mutant.function or mutant.is_of_table for result_set in results for mutant in result_set.pending()):
        run_warm(package, results, jobs, record)
        for result_set in results:
            result_set.load()
    tests = record.load()
    ordered = order(package, tests)
    pending = [(result_set, mutant) for result_set in results for mutant in result_set.pending()]
    cold = (Job(key, partial(judge_imported, *of, ordered, tests)) for key, of in enumerate(pending))
    for done, (key, result) in enumerate(running.run_all(cold, jobs), start=1):
        result_set, mutant = pending[key]
        result_set.add(mutant, result)
        _progress(package, "in imported modules", done, len(pending))


def run_warm(package: Package, results: Sequence[Results], jobs: int, record: Record) -> None:
    """Judge mutants in a process that has loaded the code and the tests."""
    sys.stderr.flush()
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(f"the tests of {package.name} could not be run: see {RESULTS}")
        return
    terminal = os.dup(2)
    RESULTS.mkdir(parents=True, exist_ok=True)
    output = RESULTS / f"output.{package.name.replace('/', '.')}"
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    sys.stderr = os.fdopen(terminal, "w", buffering=1)

    def work(tests: Tests) -> None:
        record.save(tests)
        for test in sorted(tests.failed & set(tests.items)):
            _say(f"not used, because it fails without a mutation: {test}")
        judge(package, results, tests, jobs)

    _say(f"{package.name}: running tests without a mutation")
    warm = running.Warm(package.modules, record.load(), work)
    status = pytest.main([*running.OPTIONS, *package.test_files()], plugins=[running.FewerExamples(), warm])
    os._exit(status)


def judge(package: Package, results: Sequence[Results], tests: Tests, jobs: int) -> None:
    """Run the tests that call a mutated function against each mutant; for a table, those that call the module."""
    caches = running.caches()
    functions = running.functions_in([result_set.module.path for result_set in results])
    ordered = order(package, tests)
    killers: dict[Called, list[str]] = defaultdict(list)
    gc.collect()
    gc.freeze()  # after the two above, which do not see what is frozen
    pending = [
        (result_set, mutant)
        for result_set in results
        for mutant in result_set.pending()
        if mutant.is_of_table or (result_set.module.path, mutant.function) in functions
    ]

    def work(result_set: Results, mutant: Mutant, result: int) -> None:
        path = result_set.module.path
        if mutant.function is None:
            running.patch_globals(path, result_set.module.assignments_of(mutant, str(ROOT / path)))
        else:
            code = running.code_named(result_set.module.code_of(mutant, str(ROOT / path)), mutant.function)
            for changed in functions[path, mutant.function]:
                changed.__code__ = code  # type: ignore[assignment]
        for cached in caches:
            cached.cache_clear()
        first = killers[path, mutant.function]  # a test that kills one mutant of a function often kills the next
        names = [*first, *(name for name in ordered.get((path, mutant.function), ()) if name not in first)]
        untried = [tests.items[name] for name in names if file_of(name) in result_set.untried[mutant.number]]
        running.run_items(untried, tests.seconds, result)

    warm = (Job(key, partial(work, *of)) for key, of in enumerate(pending))
    for done, (key, result) in enumerate(running.run_all(warm, jobs), start=1):
        result_set, mutant = pending[key]
        imports = mutant.function is None or (result_set.module.path, mutant.function) in tests.called_by_imports
        if result in tests.items:
            recent = killers[result_set.module.path, mutant.function]
            killers[result_set.module.path, mutant.function] = [result, *(name for name in recent if name != result)][
                :5
            ]
        if result.startswith("tests/") or result == TIMEOUT or (result == SURVIVED and not imports):
            result_set.add(mutant, result)  # the others are judged by importing the module with the mutation
        _progress(package, "in loaded modules", done, len(pending))


def order(package: Package, tests: Tests) -> dict[Called, list[str]]:
    """
    The tests that are run against mutants of each function, or of a module's tables.

    First those of the mirroring file, then as many others as fit: in the order of ``nearest.toml``, quick ones first.
    """
    rank = package.ranks()
    ordered = {}
    without_calls: dict[Called, list[str]] = {(module, None): [] for module in package.modules}
    for (module, function), names in (without_calls | tests.by_function()).items():
        mirror = mirror_of(module)
        # constants may be tested without a call
        candidates = names if function is not None else [test for test in tests.called if test not in tests.failed]
        near = sorted((name for name in candidates if file_of(name) == mirror), key=tests.seconds.__getitem__)
        others = (name for name in names if file_of(name) != mirror)
        far = sorted(others, key=lambda name: (rank[file_of(name)], tests.seconds[name]))
        ordered[module, function] = [*near, *tests.within(BUDGET, far)]
    return ordered


def judge_imported(
    results: Results, mutant: Mutant, ordered: Mapping[Called, Sequence[str]], tests: Tests, result: int
) -> None:
    """Import a module with a mutation and run its tests; those of the mirroring file are collected first, alone."""
    path = results.module.path
    running.import_as(path, results.module.code_of(mutant, str(ROOT / path)))
    called = ordered.get((path, mutant.function), ()) or ordered.get((path, None), ())
    names = [name for name in called if file_of(name) in results.untried[mutant.number]]
    near = [name for name in names if file_of(name) == mirror_of(path)]
    running.run_named([near, names[len(near) :]], tests.seconds, result)


def report(reports: Sequence[tuple[Package, Sequence[Results], float]]) -> int:
    """Print the table and what is wrong; the exit status."""
    wrong = []
    print(
        f"{'package':<20} {'mutants':>8} {'killed':>8} {'survived':>9} {'explained':>10} {'score':>7} {'floor':>6} {'time':>7}"
    )
    for package, results, took in reports:
        survivors = [mutant for result_set in results for mutant in result_set.survivors()]
        total = sum(len(result_set.module.mutants) for result_set in results)
        killed = total - len(survivors)
        missing = unexplained(survivors)
        score = 100 * killed / total if total else 100.0
        print(
            f"{package.name:<20} {total:>8} {killed:>8} {len(survivors):>9} {len(survivors) - len(missing):>10}"
            f" {score:>6.1f}% {package.floor:>5}% {took:>6.0f}s"
        )
        if score < package.floor:
            wrong.append(f"{package.name}: {score:.1f} % is below the floor of {package.floor} %")
        wrong += [
            f"{survivor.module}:{survivor.line}: {survivor.place}: survived: {survivor.change}" for survivor in missing
        ]
        for old in outdated(survivors, [result_set.module.path for result_set in results]):
            wrong.append(
                f"{old[0]}: {old[1]}: explained in equivalent.toml, but it does not survive: {old[3]}  [{old[2]}]"
            )
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATH", help="this module alone; may be repeated"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes at the same time (default: 2)")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results of the chosen modules")
    return parser.parse_args()


def _progress(package: Package, what: str, done: int, total: int) -> None:
    if done == total or done % 100 == 0:
        _say(f"{package.name}: {what}: {done} of {total}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
