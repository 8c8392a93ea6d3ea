"""`python -m benchmarks.compare` runs two checkouts in turn, and fails only for a slow-down beyond doubt."""

import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.compare import FEWEST, Measurements
from benchmarks.workloads import STAGES, Checkout, Failed, Workload

OLD, NEW = Checkout(Path("old"), Path("python")), Checkout(Path("new"), Path("python"))


def compared(times: Mapping[str, Iterable[float]], *, rounds: int = 9, seconds: float = 1e6) -> Measurements:
    """Runs a workload that takes the given times, after one run of each checkout that does not count."""
    left = {side: iter([1.0, *taken]) for side, taken in times.items()}
    options = Namespace(rounds=rounds, seconds=seconds, fail_above=15.0)
    measured = Measurements(OLD, NEW, options)
    measured.run([Workload("work", lambda side: {"work": next(left[str(side.folder)])})])
    return measured


def test_a_quarter_slower_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The table names the workload.
    """
    assert compared({"old": [1.0] * 9, "new": [1.25] * 9}).show() == 1
    assert "1.25 (1.25 to 1.25)" in capsys.readouterr().out


def test_a_few_slow_runs_do_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Of nine runs, four take five times as long.
    """
    assert compared({"old": [1.0] * 18, "new": [1.0, 5.0] * 9}).show() == 0
    assert "SLOWER" not in capsys.readouterr().out


def test_an_undecided_workload_is_measured_again(capsys: pytest.CaptureFixture[str]) -> None:
    """
    A spread with the limit inside gets up to twice as many pairs. Here the second half decides.
    """
    assert compared({"old": [1.0] * 18, "new": [1.2, 1.1, 1.2, 1.1, 1.2, 1.2, 1.2, 1.2, 1.2] + [1.2] * 9}).show() == 1
    assert " 12 pairs" in capsys.readouterr().out


@pytest.mark.parametrize(("patience", "pairs", "status"), [(1e9, FEWEST, 1), (1, 2, 0)])
def test_time_that_is_over_ends_the_rounds(
    patience: float, pairs: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    There are as many pairs as a spread needs, unless even these take too long. Then nothing is proven.
    """
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(compare, "PATIENCE", patience)

    assert compared({"old": [1.0] * 9, "new": [1.3] * 9}, seconds=2).show() == status
    assert f" {pairs} pairs" in capsys.readouterr().out


def test_a_workload_without_time_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """
    An empty table would look like a comparison.
    """
    monkeypatch.setattr(compare, "PATIENCE", -1)

    assert compared({"old": [1.0], "new": [1.0]}).show() == 0
    assert "left out: no time left" in capsys.readouterr().out


def test_a_workload_that_the_old_checkout_cannot_do_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """
    For example, because a module has another name in it. A failure of the new checkout is an error.
    """

    def sample(side: Checkout) -> Mapping[str, float]:
        raise Failed(f"{side.folder} has no such module")

    def only(folder: str) -> Workload:
        return Workload("work", lambda side: {"work": 1.0} if str(side.folder) == folder else sample(side))

    measured = Measurements(OLD, NEW, Namespace(rounds=1, seconds=1, fail_above=None))
    measured.run([only("new")])

    assert measured.show() == 0
    assert "left out: old has no such module" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="NEW failed: new has no such module"):
        measured.run([only("old")])


def test_the_lines_of_the_stages_are_read() -> None:
    """
    A stage has its time before the unit.
    """
    text = "review of 12 bytes\nread the review      30.5 us  0.31 x json.loads\nthe whole door  89.0 us  1.00 x json.loads\n"

    assert STAGES.findall(text) == [("read the review", "30.5"), ("the whole door", "89.0")]
