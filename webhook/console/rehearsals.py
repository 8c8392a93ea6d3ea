"""Rehearses the drain of each node of a cluster again and again, and explains VMs with the objects of the last rehearsal."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from webhook.check.check import Settings
from webhook.console.large_heaps import creating_many
from webhook.console.state import Drains
from webhook.drain.explain_vm import Explainer
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.vm_explanation import VMExplanation
from webhook.errors import BadInput
from webhook.facts.fleet import Fleet
from webhook.objects.fleet_kinds import ESSENTIAL, FLEET_BY_CLASS
from webhook.objects.meta import Kubernetes

log = logging.getLogger("migratable.console")

SHORTEST_PAUSE: Final = 60.0
"""The shortest pause between two rehearsals, in seconds."""
PAUSES: Final = 10
"""A pause takes this many times as long as the rehearsal before it, so that rehearsals take at most a tenth of one CPU."""


class Explanations:
    """Explains VMs for any thread."""

    def __init__(self) -> None:
        self._explainer: Explainer | None = None
        self._lock = threading.Lock()

    def replace(self, explainer: Explainer) -> None:
        """Explains with other objects from now on."""
        self._explainer = explainer

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM, or None before the first ``replace``, for an unknown VM, and after an internal error."""
        explainer = self._explainer
        if explainer is None:
            return None
        with self._lock:
            try:
                return explainer.explain(name, namespace)
            except BadInput:
                return None
            except Exception as error:  # noqa: BLE001 - the page of the VM has other parts
                log.error("a VM was not explained", extra={"error": type(error).__name__})  # noqa: TRY400
                return None


class Last(msgspec.Struct, frozen=True):
    """The last rehearsals: the report of the last one that succeeded, and the problem of the last one if it failed."""

    drains: Drains = Drains()
    unread: Mapping[type[Kubernetes], str] = {}
    """The kinds that could not be listed for the report, each with the reason."""


class Rehearsals:
    """
    The rehearsals of a cluster.

    ``list_fleet`` lists its objects, and gets the objects of the rehearsal before. ``with_revisions`` adds the
    ControllerRevisions of VMs.

    One thread rehearses, and any thread reads.
    """

    def __init__(
        self,
        list_fleet: Callable[[Fleet | None], Fleet],
        with_revisions: Callable[[Fleet], Fleet],
        settings: Callable[[], Settings],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._list_fleet, self._with_revisions, self._settings = list_fleet, with_revisions, settings
        self._clock, self._now = clock, now
        self._explanations = Explanations()
        self._fleet: Fleet | None = None
        self._known: frozenset[type[Kubernetes]] = frozenset()
        """The essential kinds in the last report."""
        self.last = Last()

    def run(self, wait: Callable[[float], bool]) -> None:
        """Rehearses until ``wait``, which pauses for a number of seconds, returns True."""
        while True:
            began = self._clock()
            self.rehearse()
            if wait(pause_after(self._clock() - began)):
                return

    def rehearse(self) -> None:
        """Rehearses once. If this fails, the last report stays."""
        try:
            with creating_many():
                problem = self._rehearse()
        except BadInput as error:
            problem = error.message
        except Exception as error:  # noqa: BLE001 - the pages of VMs and the next rehearsal do not depend on this one
            problem = internal(error)
        before = self.last.drains.problem
        if problem:
            self.last = msgspec.structs.replace(
                self.last, drains=msgspec.structs.replace(self.last.drains, problem=problem)
            )
        if problem != before:
            log.log(logging.WARNING if problem else logging.INFO, "rehearsal of drains", extra={"problem": problem})

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM, or None before the first rehearsal and if there is no such VM."""
        return self._explanations.explained(namespace, name)

    def _rehearse(self) -> str:
        """Rehearses once. Returns the problem if essential objects could not be read."""
        at, fleet, release = self._now(), self._list_fleet(self._fleet), release_of_rehearsal(self._settings())
        known = frozenset(kind for kind in ESSENTIAL if kind in fleet.provided)
        missing = [kind for kind in ESSENTIAL if kind in fleet.unread and (not known or kind in self._known)]
        if missing:
            return f"no {FLEET_BY_CLASS[missing[0]].kind} was read: {fleet.unread[missing[0]]}"
        drains, explainer = rehearsed(fleet, release, at, self._with_revisions)
        if drains.problem:
            return drains.problem
        self._explanations.replace(explainer)
        self._known, self._fleet = known, fleet
        self.last = Last(drains, fleet.unread)
        return ""


def internal(error: Exception) -> str:
    """The problem of an internal error. Its text could contain objects."""
    return f"internal error ({type(error).__name__})"


def pause_after(seconds: float) -> float:
    """The pause after a rehearsal of ``seconds``."""
    return max(SHORTEST_PAUSE, PAUSES * seconds)


def rehearsed(
    fleet: Fleet, release: str, at: float | None = None, with_revisions: Callable[[Fleet], Fleet] = lambda fleet: fleet
) -> tuple[Drains, Explainer]:
    """
    The rehearsal of the drain of each node alone, and the explainer for the same objects. ``at`` is the time of the objects.

    Raises BadInput for an unsupported release.
    """
    try:
        drains = Drains(rehearse(fleet, Request((), "each", release=release)), at)
    except BadInput as error:
        drains = Drains(problem=error.message)
    return drains, Explainer(with_revisions(fleet), release, rehearsed=drains.report)


def release_of_rehearsal(settings: Settings) -> str:
    """The release of the rehearsal. A rehearsal has one release: without a request, that of the KubeVirt CR."""
    return "" if settings.release == "any" else settings.release
