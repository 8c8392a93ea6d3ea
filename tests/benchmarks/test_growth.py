"""The growth of a cost is a ratio for each doubling of the size."""

import pytest

from benchmarks.growth import Point, per_doubling, table


@pytest.mark.parametrize(
    ("sizes", "costs", "expected"),
    [
        ((10, 20), (1, 2), 2),
        ((10, 20), (1, 4), 4),
        ((10, 40), (1, 4), 2),
        ((10_000, 12_500), (8, 10), 2),
        ((10, 20), (5, 5), 1),
    ],
)
def test_a_linear_cost_doubles(sizes: tuple[int, int], costs: tuple[float, float], expected: float) -> None:
    """
    Also between sizes of which one is not twice the other.
    """
    first, second = (Point(size, {"CPU s": cost}) for size, cost in zip(sizes, costs, strict=True))

    assert per_doubling(first, second, "CPU s") == pytest.approx(expected)


def test_a_cost_that_grows_faster_is_marked() -> None:
    """
    The limit is 2.2, because a measured linear cost is not exactly twice as high.
    """
    points = [
        Point(1_000, {"CPU s": 1, "peak MiB": 50}),
        Point(2_000, {"CPU s": 2.1, "peak MiB": 51}),
        Point(4_000, {"CPU s": 6.3, "peak MiB": 52}),
    ]

    lines, flagged = table("VMs", points)

    assert flagged == ["CPU s at 4,000: 3.00"]
    assert lines == [
        "         VMs       CPU s      x2    peak MiB      x2",
        "       1,000        1.00               50.00",
        "       2,000        2.10   2.10        51.00   1.02",
        "       4,000        6.30   3.00!       52.00   1.02",
    ]
