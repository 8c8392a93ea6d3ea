"""Runs workers in parallel for a time, with the most frequent thread switches that the interpreter allows."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

SWITCH_SECONDS = 1e-6
PATIENCE_SECONDS = 60.0


@dataclass
class Run:
    """A time of stress, which ends early at the first violation."""

    seconds: float
    problems: list[str] = field(default_factory=list)
    rounds: dict[str, int] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether workers should end."""
        return bool(self.problems) or time.monotonic() - self._began > self.seconds

    def report(self, problem: str) -> None:
        """Notes a violated invariant."""
        self.problems.append(problem)


@contextmanager
def frequent_switches() -> Iterator[None]:
    """Threads take turns after a microsecond instead of the interpreter's 5 ms."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def run_all(run: Run, workers: Sequence[tuple[str, Callable[[], None]]]) -> None:
    """Each worker in a thread of its own, again and again until the run is over; an exception is a finding."""

    def work(name: str, once: Callable[[], None]) -> None:
        rounds = 0
        try:
            while not run.over:
                once()
                rounds += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the run looks for
            run.report(f"{name}: {type(error).__name__}: {error}")
        run.rounds[name] = rounds

    threads = [threading.Thread(target=work, args=worker, name=worker[0], daemon=True) for worker in workers]
    with frequent_switches():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(run.seconds + PATIENCE_SECONDS)
            if thread.is_alive():
                run.report(f"{thread.name} hangs")
