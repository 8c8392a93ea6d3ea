"""Ratios of pairs: two programs run in turn, and each run of the second is compared with the run of the first beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the interval that contains the median of all possible values with ``CONFIDENCE``."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        """For a table."""
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """
    The median with its interval from the sorted values: no assumption about their distribution, and no random numbers.

    The i-th lowest and the i-th highest of n values contain the median except with the probability that fewer than i of n throws
    of a coin are heads, on both sides. For fewer than six values, the interval is the lowest to the highest.
    """
    ranked = sorted(values)
    cut = 0
    while 2 * _at_most(cut + 1, len(ranked)) <= 1 - CONFIDENCE:
        cut += 1
    return Spread(median(ranked), ranked[cut], ranked[-1 - cut])


def _at_most(heads: int, throws: int) -> float:
    """The probability of so many heads or fewer."""
    return sum(comb(throws, number) for number in range(heads + 1)) / 2**throws


@dataclass(frozen=True, slots=True)
class Pair:
    """Values of the old and the new program that were measured one after the other."""

    old: float
    new: float

    @property
    def ratio(self) -> float:
        """New to old."""
        return self.new / self.old


def ratios(pairs: Sequence[Pair]) -> Spread:
    """The spread of the ratios."""
    return spread([pair.ratio for pair in pairs])


def is_worse(pairs: Sequence[Pair], percent: float) -> bool:
    """Whether the whole spread is above this limit. One slow run, or a few, do not decide."""
    return ratios(pairs).low > 1 + percent / 100


def is_undecided(pairs: Sequence[Pair], percent: float) -> bool:
    """Whether the limit is inside the spread, above the middle or below it."""
    found = ratios(pairs)
    return found.low <= 1 + percent / 100 < found.high
