"""The goals of `migratable check` beside other checkers are part of the output of `python -m benchmarks.manifests`."""

import pytest

from benchmarks.contestants.checking import GATOR, KUBECONFORM, KYVERNO, OPA, OURS
from benchmarks.manifest_goals import Cost, goals

OTHERS = {KUBECONFORM: Cost(1, 1, 30), OPA: Cost(1.5, 1, 40), GATOR: Cost(3, 3, 100), KYVERNO: Cost(7, 7, 300)}


@pytest.mark.parametrize(
    ("size", "ours", "expected"),
    [
        (1, Cost(9, 9, 20), {"peak memory": True}),
        (100, Cost(1.1, 9, 201), {"CPU, of kubeconform's": True, "CPU, of opa's": True, "peak memory": False}),
        (
            1_000,
            Cost(0.75, 1.1, 30),
            {
                "CPU, of kubeconform's": True,
                "wall time, of kubeconform's": False,
                "CPU, of opa's": True,
                "CPU, less than gator's": True,
                "CPU, less than kyverno's": False,
                "peak memory": True,
            },
        ),
        (
            10_000,
            Cost(1.6, 0.9, 200),
            {
                "CPU, of kubeconform's": False,
                "wall time, of kubeconform's": True,
                "CPU, of opa's": False,
                "peak memory": True,
            },
        ),
    ],
)
def test_each_size_has_its_goals(size: int, ours: Cost, expected: dict[str, bool]) -> None:
    """
    A goal is met or missed by the medians of one run, in which all checkers did the same work.
    """
    assert {figure.what: figure.met for figure in goals(size, {OURS: ours, **OTHERS})} == expected


def test_a_checker_that_was_not_measured_has_no_goal() -> None:
    """
    For example, because it could not be built.
    """
    assert [figure.what for figure in goals(1_000, {OURS: Cost(1, 1, 1), OPA: OTHERS[OPA]})] == [
        "CPU, of opa's",
        "peak memory",
    ]
