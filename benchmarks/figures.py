"""How a reliability program prints what it measured: each figure beside its goal (docs/reliability.md)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, and whether it reaches its goal; ``met`` is None for one that has no goal."""

    what: str
    value: str
    goal: str = ""
    met: bool | None = None


def load_average() -> str:
    """Processes that run or wait, averaged over one, five and fifteen minutes."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def show(number: str, conditions: str, figures: Sequence[Figure], load_before: str) -> int:
    """Prints a block of lines; gives the exit status, 1 where a goal is missed."""
    now = datetime.now(UTC)
    print(f"{number}: {conditions}")
    print(
        f"  {now:%d %B %Y %H:%M} UTC, {os.cpu_count()} CPUs, load average {load_before} before and {load_average()} after"
    )
    for figure in figures:
        verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
        goal = f"(goal {figure.goal}: {verdict})" if figure.goal else ""
        print(f"  {figure.what:44} {figure.value} {goal}".rstrip())
    return int(any(figure.met is False for figure in figures))
