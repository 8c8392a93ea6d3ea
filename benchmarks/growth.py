"""How a cost grows with the size of the input, as a ratio for each doubling of the size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

MOST_PER_DOUBLING = 2.2
"""A linear cost doubles. More than this is worse than linear, beyond noise."""


@dataclass(frozen=True, slots=True)
class Point:
    """The costs at one size, by name: CPU seconds, for example."""

    size: int
    costs: Mapping[str, float]


def per_doubling(first: Point, second: Point, cost: str) -> float:
    """The factor by which a cost grows when the size doubles, between two sizes."""
    doublings = log2(second.size / first.size)
    return float((second.costs[cost] / first.costs[cost]) ** (1 / doublings))


def table(what: str, points: Sequence[Point]) -> tuple[list[str], list[str]]:
    """The lines of a table with the ratio for each doubling, and the name and size of each ratio above the limit."""
    costs = list(points[0].costs)
    lines = [f"{what:>12}" + "".join(f"{cost:>12}{'x2':>8}" for cost in costs)]
    flagged: list[str] = []
    for before, point in zip([None, *points], points, strict=False):
        line = f"{point.size:12,}"
        for cost in costs:
            line += f"{point.costs[cost]:12.2f}"
            if before is None:
                line += " " * 8
                continue
            ratio = per_doubling(before, point, cost)
            is_worse = ratio > MOST_PER_DOUBLING
            line += f"{ratio:7.2f}{'!' if is_worse else ' '}"
            flagged += [f"{cost} at {point.size:,}: {ratio:.2f}"] if is_worse else []
        lines.append(line.rstrip())
    return lines, flagged
