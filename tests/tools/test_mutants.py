"""tools.mutants: the mutants of a module. Each survivor is either explained or reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants import __main__ as program
from tools.mutants import packages as packages_module
from tools.mutants import recording, running, survivors
from tools.mutants.__main__ import order
from tools.mutants.mutating import Module, Mutant
from tools.mutants.packages import Package, Results, mirror_of, packages
from tools.mutants.recording import Record
from tools.mutants.running import ROOT, code_named


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in Module("module.py", source).mutants]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["a < b → a <= b", "a < b → a >= b"]),
        ("x = a in b", ["a in b → a not in b"]),
        ("x = a and b", ["a and b → b", "a and b → a"]),
        ("x = not a", ["not a → a"]),
        ("x = a - b", ["a - b → a + b"]),
        ("x = a | b", ["a | b → a", "a | b → b"]),
        ("x = a if b else c", ["a if b else c → a", "a if b else c → c"]),
        ("x = 3", ["3 → 4"]),
        ("x = True", ["True → False"]),
        ("x = 'word'", ["'word' → 'wordXX'"]),
        ("x = {1, 2}", ["without 1", "without 2", "1 → 2", "2 → 3"]),
        ("x = {a: b, c: d}", ["without a", "without c"]),
        ("x = min(a)", ["min → max"]),
        ("x = f(a, b=c)", ["without b=c"]),
        ("x = [a for a in b if c]", ["without c"]),
        ("def f(): return a", ["return a → return None"]),
        ("def f(): yield a", ["yield a → yield from ()"]),
        ("for a in b: continue", ["continue → break"]),
        ("f(a)", ["f(a) → pass"]),
        ("def f(a=1): pass", ["1 → 2"]),
    ],
)
def test_an_expression_has_these_mutants(source: str, expected: list[str]) -> None:
    """
    Each operator of the language that decides something is mutated, and so is each constant.
    """
    assert changes(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "import a",
        "x: int",
        "x: TypeAlias = a | b",
        "T = TypeVar('T')",
        "Ts = TypeVarTuple('Ts')",
        "x = 'a sentence'",
        "x = f'prose {value}'",
        "class A(B, frozen=True): pass",
        "@decorated(1)\ndef f(): pass",
        "def f(a: int | str) -> int | str: pass",
        "return_nothing = None",
        "def f(): return None",
    ],
)
def test_code_without_decisions_has_no_mutants(source: str) -> None:
    """
    Docstrings, imports, types, prose and decorators are not mutated.
    """
    assert changes(source) == []


def test_a_mutant_is_the_module_with_one_change() -> None:
    """
    Each mutant's code differs from the module's in its change alone, and compiling one leaves the next as it was.
    """
    module = Module("module.py", "def f(a):\n    return a + 1\n")
    results = []
    for mutant in module.mutants:
        names: dict[str, object] = {}
        exec(module.code_of(mutant, "module.py"), names)
        results.append((mutant.change, names["f"](5)))  # type: ignore[operator]

    assert results == [("return a + 1 → return None", None), ("a + 1 → a - 1", 4), ("1 → 2", 7)]


def test_a_function_of_a_class_is_found_by_its_name() -> None:
    """
    The code object that replaces a method's is that of the method.
    """
    module = Module("module.py", "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2\n")
    mutant = module.mutants[-1]

    code = code_named(module.code_of(mutant, "module.py"), "A.g")

    assert mutant.function == "A.g"
    assert code is not None
    assert 3 in code.co_consts


def survivor(change: str) -> Mutant:
    (mutant,) = (
        candidate for candidate in Module("a.py", "def f():\n    return a < b\n").mutants if candidate.change == change
    )
    return mutant


def test_a_survivor_is_explained_or_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A survivor without an explanation is reported, and so is an explanation of a mutant that no longer survives.
    """
    file = tmp_path / "equivalent.toml"
    file.write_text(
        '[["a.py"]]\nplace = "f"\nline = "return a < b"\nchanges = ["a < b → a <= b"]\nwhy = "They are never equal."\n'
    )
    monkeypatch.setattr(survivors, "FILE", file)
    boundary, negation = survivor("a < b → a <= b"), survivor("a < b → a >= b")

    assert survivors.unexplained([boundary, negation]) == [negation]
    assert survivors.outdated([boundary], ["a.py"]) == []
    assert survivors.outdated([], ["a.py"]) == [("a.py", "f", "return a < b", "a < b → a <= b")]
    assert survivors.outdated([], ["b.py"]) == []


def test_every_explanation_names_a_mutant_and_a_reason() -> None:
    """
    Each explained mutant exists: its module, its source line and its change.
    """
    reasons = survivors.explained()
    existing = {
        mutant.identity
        for module in {identity[0] for identity in reasons}
        for mutant in Module(module, (ROOT / module).read_text()).mutants
    }

    assert [identity for identity in reasons if identity not in existing] == []
    assert all(why.endswith(".") for why in reasons.values())


def test_the_core_is_listed_with_tests_that_exist() -> None:
    """
    Each package lists modules and test files that exist, and no module is in two of them.
    """
    listed = [module for package in packages() for module in package.modules]

    assert len(listed) == len(set(listed))
    assert all(package.modules and package.test_files() for package in packages())


@pytest.mark.parametrize(
    ("module", "mirror"),
    [
        ("webhook/kubevirt/expansion/claims.py", "tests/kubevirt/expansion/test_claims.py"),
        ("webhook/policy/policy.py", "tests/policy/test_policy.py"),
        ("certs/plan.py", "tests/certs/test_plan.py"),
    ],
)
def test_a_test_file_mirrors_a_module(module: str, mirror: str) -> None:
    """
    The tests tree has the shape of the code.
    """
    assert mirror_of(module) == mirror


def test_a_table_is_judged_by_the_mirroring_tests() -> None:
    """
    Even if no test calls a function of its module.
    """
    module, file = "webhook/kubevirt/feature_gates.py", "tests/kubevirt/test_feature_gates.py"
    near, far = f"{file}::test_near", "tests/kubevirt/test_gates.py::test_far"
    tests = running.Tests(seconds={near: 1.0, far: 1.0}, called={near: set(), far: set()})

    assert order(Package("p", 95, (module,), (file,)), tests) == {(module, None): [near]}


def test_an_edit_during_a_run_leaves_the_tests_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without its tests each mutant that is judged after the edit would survive.
    """
    module, test = tmp_path / "module.py", tmp_path / "test_module.py"
    module.write_text("X = 1")
    test.touch()
    for part in (packages_module, recording, running):
        monkeypatch.setattr(part, "ROOT", tmp_path)
    for part in (packages_module, recording):
        monkeypatch.setattr(part, "RESULTS", tmp_path)
    package = Package("name", 95, ("module.py",), ("test_module.py",))
    results = Results(Module("module.py", "X = 1"), package)
    called = {"test_module.py::test": {("module.py", "f")}}
    jobs: list[running.Job] = []

    def run(_package: Package, _results: object, _jobs: int, record: Record) -> None:
        record.save(running.Tests(seconds=dict.fromkeys(called, 0.0), called=called))
        module.write_text("X = 1  # edited")

    monkeypatch.setattr(program, "run_warm", run)
    monkeypatch.setattr(running, "run_all", lambda some, _at_once: jobs.extend(some) or iter(()))
    program.measure(package, [results], 1)

    (job,) = jobs
    assert job.work.args[-1].called == called  # type: ignore[attr-defined]
