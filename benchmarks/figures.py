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
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def show(number: str, conditions: str, figures: Sequence[Figure], load_before: str) -> int:
    """Prints a block of lines; gives the exit status, 1 where a goal is missed."""
    now = datetime.now(UTC)
    print(f"{number}: {conditions}")
    print(
        f"  {now:%d %B %Y %H:%M} UTC, {os.cpu_count()} CPUs, load average {load_before} before and {load_average()} after"
    )
    for each in figures:
        verdict = {None: "", True: "met", False: "MISSED"}[each.met]
        goal = f"(goal {each.goal}: {verdict})" if each.goal else ""
        print(f"  {each.what:44} {each.value} {goal}".rstrip())
    return int(any(each.met is False for each in figures))
