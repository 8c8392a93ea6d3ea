"""Writes one log line for each retry period in which watches fail, instead of one line for each kind and retry."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("migratable.cluster")


class Interruptions:
    """
    Collects failed lists and watches. Thread-safe.

    The first failure with a problem is logged at once. In the following ``period_seconds``, further failures with this problem
    are only collected. The next line lists their kinds.
    """

    def __init__(self, period_seconds: float, clock: Callable[[], float]) -> None:
        self._period = period_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[str, float] = {}
        self._kinds: dict[str, set[str]] = {}

    def failed(self, kind: str, problem: str, retry_seconds: float) -> None:
        """Record a failed list or watch."""
        now = self._clock()
        with self._lock:
            kinds = self._kinds.setdefault(problem, set())
            kinds.add(kind)
            if problem in self._logged and now - self._logged[problem] < self._period:
                return
            self._logged[problem] = now
            named = ", ".join(sorted(kinds))
            kinds.clear()
        log.warning(
            "watch interrupted", extra={"kind": named, "problem": problem, "retry_seconds": round(retry_seconds, 1)}
        )
