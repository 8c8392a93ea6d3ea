"""
Runs tests against mutants, each in a forked copy of a process that has loaded what it needs.

A *warm* process has collected the tests and imported the code; a mutant inside a function is put in by replacing that
function's code object. A *cold* one has imported third-party packages only; it imports the module with the mutation, so
it is used for tables and constants, and again for every mutant that survived warm.
"""

import functools
import gc
import importlib
import importlib.machinery
import inspect
import os
import resource
import selectors
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final, TypeAlias

import hypothesis
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
OPTIONS: Final = ["-q", "-x", "--assert=plain", "--tb=no", "--capture=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
EXAMPLES: Final = 15
"""Examples of each property, at most."""
MEMORY: Final = 3 << 30
UNKNOWN_SECONDS: Final = 3.0
LONGEST_START: Final = 30.0
"""Seconds of CPU time before the first test."""
LONGEST_WAIT: Final = 900.0
"""Seconds after which a process is killed that waits for something."""
Function: TypeAlias = tuple[str, str]
"""A file and a function's qualified name in it."""
Called: TypeAlias = tuple[str, str | None]
"""A file and one of its functions, or None for any of them."""
SURVIVED: Final = ""
TIMEOUT: Final = "(timeout)"
OWN: Final = ("webhook", "certs", "tests", "deploy", "docs")
"""Packages of the project."""


@dataclass
class Tests:
    """The tests, as a run without a mutation has recorded them."""

    items: dict[str, pytest.Item] = field(default_factory=dict)
    """By node id."""
    seconds: dict[str, float] = field(default_factory=dict)
    called: dict[str, set[Function]] = field(default_factory=dict)
    """The functions that each test calls."""
    called_by_imports: set[Function] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    """Tests that fail without a mutation; they are not used."""

    def by_function(self) -> dict[Called, list[str]]:
        """The usable tests that call each function, and by module and None those that call any of its functions."""
        tests_of: dict[Called, dict[str, None]] = defaultdict(dict)
        for name, functions in self.called.items():
            if name not in self.failed:
                for module, function in functions:
                    tests_of[module, function][name] = None
                    tests_of[module, None][name] = None
        return {key: [*names] for key, names in tests_of.items()}

    def within(self, budget: float, names: Iterable[str]) -> Iterator[str]:
        """The first of these tests that together take this many seconds at most; slower ones are left out."""
        for name in names:
            if self.seconds[name] <= budget:
                budget -= self.seconds[name]
                yield name


def file_of(test: str) -> str:
    """The file of a test."""
    return test.partition("::")[0]


class FewerExamples:
    """Holds properties to a few examples, always the same, and does not look for the smallest."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            test = getattr(item, "obj", None)
            function: Any = getattr(test, "__func__", test)
            if getattr(function, "is_hypothesis_test", False):
                own = function._hypothesis_internal_use_settings
                function._hypothesis_internal_use_settings = hypothesis.settings(
                    own,
                    max_examples=min(own.max_examples, EXAMPLES),
                    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
                    database=None,
                    derandomize=True,
                    report_multiple_bugs=False,
                )


class FirstFailure:
    """Ends the process at the first failure, or when a test takes far more CPU time than usual."""

    def __init__(self, result: int, seconds: Mapping[str, float]) -> None:
        self.result = result
        self.seconds = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        usual = self.seconds.get(item.nodeid, UNKNOWN_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, 3 + 8 * usual)  # SIGPROF ends the process

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        # pytest's report would format a traceback, which is not needed
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
            _finish(self.result, item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            _finish(self.result, report.nodeid or "(collection)")


class Failures:
    """Collects the names of tests that fail."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.names.add(report.nodeid)


class Warm:
    """A pytest plugin that runs the tests about which nothing is known, then hands over to `work`."""

    def __init__(self, watched: Sequence[str], known: Tests, work: Callable[[Tests], None]) -> None:
        self.watched = {str(ROOT / path): path for path in watched}
        self.work = work
        self.tests = known
        self.importing = trace_calls()

    def pytest_collection_finish(self) -> None:
        for path in self.watched.values():
            importlib.import_module(module_name(path))
        sys.settrace(None)
        self.tests.called_by_imports = self._functions(self.importing)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.tests.items = {item.nodeid: item for item in session.items}
        for gone in self.tests.called.keys() - self.tests.items.keys():
            del self.tests.called[gone]
        new = [item for item in session.items if item.nodeid not in self.tests.called]
        known, modules = caches(), len(sys.modules)
        for item, following in _pairs(new):
            if len(sys.modules) != modules:
                known, modules = caches(), len(sys.modules)
            for cache in known:
                cache.cache_clear()
            started = time.process_time()
            called = trace_calls()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            sys.settrace(None)
            threading.settrace(None)
            self.tests.seconds[item.nodeid] = time.process_time() - started
            self.tests.called[item.nodeid] = self._functions(called)
        self._leave_out_failures(new)
        self.work(self.tests)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.tests.failed.add(report.nodeid)

    def _leave_out_failures(self, new: Sequence[pytest.Item]) -> None:
        """Tests that fail in a forked process without a mutation would seem to kill every mutant."""
        items = [item for item in new if item.nodeid not in self.tests.failed]
        ((_, failed),) = run_all([Job(0, lambda result: list_failures(items, result))], 1)
        if failed == TIMEOUT:
            raise RuntimeError("the tests do not run in a forked process")
        self.tests.failed.update(failed.splitlines())

    def _functions(self, called: set[CodeType]) -> set[Function]:
        return {
            (path, code.co_qualname.split(".<locals>")[0])
            for code in called.copy()  # a thread that outlasts its test may add to it
            if (path := self.watched.get(code.co_filename)) is not None
        }


def trace_calls() -> set[CodeType]:
    """The code objects that are called from now on, until the trace function is removed."""
    called: set[CodeType] = set()

    def trace(frame: FrameType, _event: str, _value: object) -> None:
        called.add(frame.f_code)

    threading.settrace(trace)
    sys.settrace(trace)
    return called


def run_items(items: Sequence[pytest.Item], seconds: Mapping[str, float], result: int) -> None:
    """Runs collected tests up to the first failure; ends the process."""
    if items:
        items[0].config.pluginmanager.register(FirstFailure(result, seconds))
        for item, following in _pairs(items):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    _finish(result, SURVIVED)


def list_failures(items: Sequence[pytest.Item], result: int) -> None:
    """Runs collected tests and names those that fail; ends the process."""
    failed = Failures()
    signal.setitimer(signal.ITIMER_PROF, LONGEST_WAIT)
    if items:
        items[0].config.pluginmanager.register(failed)
        for item, following in _pairs(items):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    _finish(result, "\n".join(failed.names))


def run_named(runs: Iterable[Sequence[str]], seconds: Mapping[str, float], result: int) -> None:
    """Collects and runs tests, one group after the other, up to the first failure; ends the process."""
    for names in runs:
        # by file where a test of this name does not exist: parameters may come from the mutated table
        for arguments in (names, [*dict.fromkeys(map(file_of, names))]):
            if not arguments:
                break
            status = pytest.main([*OPTIONS, *arguments], plugins=[FewerExamples(), FirstFailure(result, seconds)])
            if status == pytest.ExitCode.OK:
                break
            if status != pytest.ExitCode.USAGE_ERROR:
                _finish(result, f"(pytest: {status})")
    _finish(result, SURVIVED)


def functions_in(paths: Sequence[str]) -> dict[tuple[str, str], list[FunctionType]]:
    """The functions that were made from these files, by path and qualified name."""
    files = {str(ROOT / path): path for path in paths}
    functions: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for candidate in gc.get_objects():
        if isinstance(candidate, FunctionType) and (path := files.get(candidate.__code__.co_filename)) is not None:
            functions[path, candidate.__code__.co_qualname].append(candidate)
    return functions


def patch_globals(module: str, code: CodeType) -> None:
    """Runs assignments of a module again and puts the values that differ into it, and where they were imported by name."""
    changed = sys.modules[module_name(module)]
    old, new = vars(changed), dict(vars(changed))
    exec(code, new)  # noqa: S102
    differing = {name: value for name, value in new.items() if name in old and old[name] != value}
    for name, value in differing.items():
        was = old[name]
        for loaded in [*sys.modules.values()]:
            if vars(loaded).get(name) is was:
                setattr(loaded, name, value)


def module_name(path: str) -> str:
    """The name by which a file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def caches() -> list[Any]:
    """The functools caches of the project."""
    return [
        candidate
        for candidate in gc.get_objects()
        if isinstance(candidate, functools._lru_cache_wrapper)
        and str(getattr(inspect.unwrap(candidate), "__module__", "")).split(".")[0] in OWN
    ]


def code_named(module: CodeType, name: str) -> CodeType | None:
    """The code object of a function or method in a module's code."""
    for constant in module.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == name:
                return constant
            if name.startswith(f"{constant.co_qualname}.") and (inner := code_named(constant, name)) is not None:
                return inner
    return None


def import_as(path: str, code: CodeType) -> None:
    """From now on, importing the module of this file runs this code."""
    loader = importlib.machinery.SourceFileLoader
    original = loader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        return code if self.path == str(ROOT / path) else original(self, name)

    loader.get_code = get_code  # type: ignore[method-assign, assignment]


@dataclass
class Job:
    """The work of a forked process."""

    key: int
    work: Callable[[int], None]
    """Gets the file descriptor for its result."""


def run_all(jobs: Iterable[Job], at_once: int) -> Iterator[tuple[int, str]]:
    """Runs each job in a forked process; yields its key and result, in the order in which they end."""
    waiting = selectors.DefaultSelector()
    pending = iter(jobs)
    while True:
        while len(waiting.get_map()) < at_once and (job := next(pending, None)) is not None:
            pid, result = _fork(job)
            waiting.register(result, selectors.EVENT_READ, (job.key, pid, time.monotonic() + LONGEST_WAIT))
        if not waiting.get_map():
            return
        waiting.select(timeout=1)
        ready = {key.fd for key, _ in waiting.select(timeout=0)}
        for key in [*waiting.get_map().values()]:
            number, pid, deadline = key.data
            if key.fd not in ready and time.monotonic() < deadline:
                continue
            if key.fd not in ready:
                os.kill(pid, signal.SIGKILL)
            waiting.unregister(key.fd)
            yield number, _result_of(pid, key.fd)


def _result_of(pid: int, result: int) -> str:
    with os.fdopen(result, "rb") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text.decode()[1:] if text else TIMEOUT  # without a result, a signal ended it


def _fork(job: Job) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.setitimer(signal.ITIMER_PROF, LONGEST_START)
        job.work(writing)
    except BaseException as error:  # noqa: BLE001
        _finish(writing, f"({type(error).__name__}: {error})")
    os._exit(0)


def _finish(result: int, text: str) -> None:
    os.write(result, b"=" + text.encode())
    os._exit(0)


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=False)
