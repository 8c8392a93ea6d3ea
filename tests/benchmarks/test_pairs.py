"""Two checkouts are compared by the ratios of pairs of runs, and a difference counts only if the whole spread shows it."""

import random

import pytest

from benchmarks.pairs import Pair, Spread, is_undecided, is_worse, ratios, spread

LIMIT = 15.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Spread(3, 3, 3)),
        ([5.0, 1.0, 3.0], Spread(3, 1, 5)),
        ([8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], Spread(4.5, 1, 8)),
        ([float(number) for number in range(1, 10)], Spread(5, 2, 8)),
        ([float(number) for number in range(1, 16)], Spread(8, 4, 12)),
    ],
)
def test_the_spread_is_the_narrowest_interval_of_ranks_with_95_percent(values: list[float], expected: Spread) -> None:
    """
    One of fifteen values may be far away at each end without an effect on the spread.
    """
    assert spread(values) == expected


def test_the_spread_contains_the_true_median_in_95_of_100_cases() -> None:
    """
    For any distribution: here one with a long tail, as times have on a busy computer.
    """
    chance = random.Random(7)
    spreads = [spread([chance.lognormvariate(0, 0.5) for _ in range(9)]) for _ in range(2000)]

    assert sum(found.low <= 1 <= found.high for found in spreads) >= 0.95 * len(spreads)


def test_a_pair_is_compared_with_itself_only() -> None:
    """
    If both runs of a pair are twice as slow, the ratio stays.
    """
    assert ratios([Pair(1, 1.1), Pair(2, 2.2), Pair(4, 4.4)]).middle == pytest.approx(1.1)


def test_noise_makes_nothing_worse() -> None:
    """
    Of 2,000 comparisons of a program with itself, with a noise of 20 %, at most one in a hundred is worse by 15 %.
    """
    chance = random.Random(3)
    noisy = [
        [Pair(chance.lognormvariate(0, 0.2), chance.lognormvariate(0, 0.2)) for _ in range(9)] for _ in range(2000)
    ]

    assert sum(is_worse(pairs, LIMIT) for pairs in noisy) <= 20


def test_a_slow_down_of_a_quarter_is_worse() -> None:
    """
    In 95 of 100 comparisons with a noise of 3 %, 25 % more time is recognized as more than 15 %.
    """
    chance = random.Random(3)
    slower = [
        [Pair(chance.lognormvariate(0, 0.03), 1.25 * chance.lognormvariate(0, 0.03)) for _ in range(9)]
        for _ in range(500)
    ]

    assert sum(is_worse(pairs, LIMIT) for pairs in slower) > 0.95 * len(slower)


def test_a_spread_around_the_limit_is_undecided() -> None:
    """
    More pairs can decide it.
    """
    around = [Pair(1, ratio) for ratio in (1.1, 1.16, 1.2)]

    assert is_undecided(around, LIMIT)
    assert not is_worse(around, LIMIT)
    assert not is_undecided([Pair(1, 1.0)] * 3, LIMIT)
    assert not is_undecided([Pair(1, 1.3)] * 3, LIMIT)
