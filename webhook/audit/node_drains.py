"""
Rehearses the drain of each node every few minutes, for metrics.

A rehearsal of 1,000 nodes takes 20 seconds of CPU time. Python runs one thread at a time, so the rehearsal runs in a process of
its own (``migratable drain --all``), and reports are not delayed. Its memory is free again when it ends.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from typing import Final

import msgspec

from webhook.errors import Unavailable
from webhook.objects.json_depth import decode
from webhook.report.drain_metrics import NodeDrains, families, unknown_drains
from webhook.report.metrics_text import Family
from webhook.report.printable import printable

_LOG: Final = logging.getLogger(__name__)
_GRACE_SECONDS: Final = 600.0
"""The time for the rehearsal itself, after the reads."""


class DrainProcess:
    """Runs ``migratable drain --all`` and returns the outcomes. ``arguments`` select the cluster."""

    def __init__(self, arguments: Sequence[str] = (), read_seconds: float = 300.0) -> None:
        program = (sys.executable, "-m", "webhook", "drain", "--all", "--output=json", "--fail-on=never")
        self._command = [*program, f"--timeout={read_seconds:g}", *arguments]
        self._seconds = read_seconds + _GRACE_SECONDS
        self._lock = Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def __call__(self) -> NodeDrains:
        """Raises Unavailable with the reason if there is no result."""
        with self._lock:
            if self._is_stopped:
                raise Unavailable("the rehearsal was stopped", remedy="Rehearse again.")
            process = self._running = subprocess.Popen(  # noqa: S603 - arguments of this program
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        try:
            output, errors = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Unavailable(
                f"the rehearsal took longer than {self._seconds:g} seconds",
                remedy="Switch it off with --drain-minutes 0.",
            ) from None
        try:
            return decode(_outcomes, output)
        except msgspec.DecodeError:
            lines = errors.decode(errors="replace").strip().splitlines()
            why = next((line for line in lines if line.startswith("error:")), f"exit status {process.returncode}")
            raise Unavailable(printable(why.removeprefix("error: ")), remedy="Run migratable drain --all.") from None

    def stop(self) -> None:
        """Ends a running rehearsal, and prevents further ones."""
        with self._lock:
            self._is_stopped = True
            if self._running is not None:
                self._running.kill()


_outcomes = msgspec.json.Decoder(NodeDrains)


class DrainMonitor:
    """
    Rehearses in a thread of its own, and exports the last outcomes.

    If a rehearsal fails, the nodes have an unknown outcome, because the last outcomes can be wrong. A new reason is logged once.
    """

    def __init__(
        self,
        rehearse: Callable[[], NodeDrains],
        every_seconds: float,
        *,
        stop: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``stop`` ends a running call of ``rehearse``."""
        self._rehearse, self._stop = rehearse, stop
        self._every_seconds = every_seconds
        self._clock = clock
        self._stopped = Event()
        self._logged: tuple[str, ...] = ()
        self._last: tuple[NodeDrains, float | None] | None = None
        self._thread = Thread(target=self._run, name="node drains", daemon=True)

    @classmethod
    def of_cluster(cls, arguments: Sequence[str], minutes: float) -> "DrainMonitor":
        """A monitor of the cluster that the arguments of ``migratable drain`` select."""
        process = DrainProcess(arguments)
        return cls(process, minutes * 60, stop=process.stop)

    def start(self) -> None:
        """Starts the thread. The first rehearsal begins at once."""
        self._thread.start()

    def close(self) -> None:
        """Ends a running rehearsal, and starts no further one."""
        self._stopped.set()
        self._stop()

    def families(self) -> list[Family]:
        """The metrics of the last rehearsal. There are none before the first one ends."""
        last = self._last
        return [] if last is None else list(families(*last))

    def rehearse(self) -> None:
        """Rehearses once."""
        before, at = self._last or (NodeDrains(), None)
        try:
            drains, at = self._rehearse(), self._clock()
        except Unavailable as error:
            drains = unknown_drains(before, error.message)
        self._last = drains, at
        if drains.missing != self._logged:
            self._logged = drains.missing
            for missing in drains.missing:
                _LOG.warning("the drain of nodes is unknown: %s", missing)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.rehearse()
            self._stopped.wait(self._every_seconds)
