"""
Judges the watched objects of a cluster, and judges again the units that a change concerns.

One thread judges. Changes of single objects come first. A change that concerns many units, such as a change of the KubeVirt CR,
joins a backlog, which single changes interrupt. Changes during a run of the backlog wait for the next run, which starts
after a pause as long as the run itself, so that a backlog takes at most half of one CPU.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from webhook.audit.judge import Judge
from webhook.audit.scope import Scope
from webhook.audit.watching.changes import concerned
from webhook.audit.watching.dependencies import Dependencies, Unit
from webhook.audit.watching.results import Difference, Results
from webhook.audit.watching.units import Units
from webhook.audit.watching.world import TracedWorld, WatchedWorld
from webhook.check.check import Settings
from webhook.cluster.lookups import Question
from webhook.cluster.projection import Key
from webhook.cluster.store import WHOLE_KIND, Store, Stored
from webhook.errors import BadInput, WebhookError
from webhook.kubevirt.subject import VM_KINDS
from webhook.manifests.live_objects import name_of_live
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes

log = logging.getLogger("migratable.audit")

MANY = 100
"""A change that concerns more units than this joins the backlog."""
SHORTEST_PAUSE = 1.0
"""The shortest pause between two runs of the backlog, in seconds."""

Sink = Callable[[Difference], None]


class _Change(msgspec.Struct, frozen=True):
    kind: type[Kubernetes]
    key: Key
    before: Stored | None
    after: Stored | None


class Auditor:
    """
    The judgements of a watched cluster. ``store`` must have a ``Packing`` for each judged kind, and ``note`` as its listener.

    ``settings`` returns the current policy, release and date. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Settings],
        scope: Scope | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.results = Results()
        self.scope = scope or Scope()
        self._settings = settings
        self._clock = clock
        self._world = WatchedWorld(store)
        self._units = Units(store, self.scope.holds)
        self._dependencies = Dependencies()
        self._changes: deque[_Change] = deque()
        self._arrived = threading.Event()
        self._listening = False
        self._judge: Judge | None = None
        self._chosen_by: frozenset[Question] = frozenset()
        """The lookups on which the release depends."""
        self._urgent: dict[Unit, None] = {}
        self._run: dict[Unit, None] = {}
        """The units that the present run of the backlog has not judged yet."""
        self._next: dict[Unit, None] = {}
        self._run_seconds = 0.0
        self._not_before = 0.0
        self._waiting_since: float | None = None
        self._sinks: list[Sink] = []
        self.judged = 0
        """The number of judged units since the start."""
        self.complete = False
        """Whether all units were judged since the start."""

    def note(self, kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None) -> None:
        """Records a change of the store. Called in the threads of the watches. Never waits."""
        if self._listening and (before is not after or key == WHOLE_KIND):
            self._changes.append(_Change(kind, key, before, after))
            self._arrived.set()

    def begin(self) -> None:
        """Records all stored objects as changed. Call this when each kind has been listed or refused."""
        self._listening = True
        self._waiting_since = self._clock()
        self._next.update(dict.fromkeys(self._units.all()))

    def follow(self, sink: Sink) -> None:
        """
        Lets ``sink`` receive each later difference, in the thread that judges. Read the results after this call, then apply the
        differences: none is lost, and a difference that the results contain already changes nothing.
        """
        self._sinks = [*self._sinks, sink]

    def unfollow(self, sink: Sink) -> None:
        """Ends ``follow``."""
        self._sinks = [one for one in self._sinks if one is not sink]

    @property
    def age_seconds(self) -> float:
        """Seconds since a change arrived that is not in the results yet, or 0."""
        since = self._waiting_since
        return 0.0 if since is None else self._clock() - since

    @property
    def waiting(self) -> int:
        """The number of units that are not judged with the present objects yet."""
        return len(self._urgent) + len(self._run) + len(self._next)

    @property
    def judge(self) -> Judge:
        """The present policy and release. Raises BadInput for a release that cannot be judged."""
        if self._judge is None:
            traced = TracedWorld(self._world)
            self._judge = Judge(traced, self._settings())
            self._chosen_by = frozenset(traced.questions)
            if self._world.every(KubeVirt) == ():
                log.warning("the cluster has no KubeVirt CR, so the release and the settings are unknown")
        return self._judge

    def work(self, wait_seconds: float = 0.0) -> bool:
        """
        Judges one unit, or waits up to ``wait_seconds`` for a change. Returns whether a unit was judged.

        Raises BadInput for a release that cannot be judged.
        """
        self._take_changes()
        self._follow_settings()
        if self._urgent:
            unit = _popped(self._urgent)
            asked = self._examine(unit)
            if self._world.is_outdated and any(asking.name is None and asking.kind in VM_KINDS for asking in asked):
                self._postpone((unit,))
            else:
                self._next.pop(unit, None)
                if unit in self._run:
                    del self._run[unit]
                    if not self._run:
                        self._end_run()
            return True
        if not self._run and self._next and self._clock() >= self._not_before:
            self._run, self._next = self._next, {}
            self._world.refresh()
        if self._run:
            began = self._clock()
            self._examine(_popped(self._run))
            self._run_seconds += self._clock() - began
            if not self._run:
                self._end_run()
            return True
        if not self._next:
            self._waiting_since = None
            self.complete = self._listening
        self._arrived.clear()
        if not self._changes and wait_seconds:
            self._arrived.wait(wait_seconds)
        return False

    def _end_run(self) -> None:
        self._not_before = self._clock() + max(SHORTEST_PAUSE, self._run_seconds)
        self._run_seconds = 0.0
        self.complete = True

    def _examine(self, unit: Unit) -> Iterable[Question]:
        """Judges a unit. Returns its lookups."""
        traced = TracedWorld(self._world)
        try:
            judged, problems = self._units.judge(unit, self.judge, traced)
        except WebhookError:
            raise
        except Exception as error:  # noqa: BLE001 - an error in a rule must not stop the judgement of other objects
            log.error("an object was not judged", extra={"kind": unit.kind, "error": type(error).__name__})  # noqa: TRY400
            judged, problems = [], [_not_judged(unit, error)]
        if judged or problems:
            self._dependencies.put(unit, traced.questions)
        else:
            self._dependencies.remove(unit)
        difference = self.results.put(unit, judged, problems)
        if difference:
            for sink in self._sinks:  # read after the results have changed
                sink(difference)
        self.judged += 1
        return traced.questions

    def _take_changes(self) -> None:
        while self._changes:
            change = self._changes.popleft()
            if self._waiting_since is None:
                self._waiting_since = self._clock()
            if change.key == WHOLE_KIND:
                self._judge_all()
                continue
            own = self._units.of_change(change.kind, change.key, change.before, change.after)
            self._urgent.update(dict.fromkeys(own))
            questions = tuple(concerned(change.kind, change.key, change.before, change.after))
            if not self._chosen_by.isdisjoint(questions):
                self._judge_all()
            elif questions:
                self._mark(change.kind, self._dependencies.on(questions))
            if questions and change.kind in VM_KINDS:
                self._world.is_outdated = True

    def _mark(self, kind: type[Kubernetes], units: Iterable[Unit]) -> None:
        concerned_units = dict.fromkeys(units)
        if len(concerned_units) > MANY or kind in VM_KINDS:  # the list of VMs is refreshed before each run
            self._postpone(concerned_units)
        else:
            self._urgent.update(concerned_units)

    def _postpone(self, units: Iterable[Unit]) -> None:
        self._next.update(dict.fromkeys(units))

    def _follow_settings(self) -> None:
        """Judges everything again if the policy has changed, or at the date on which exemptions can expire."""
        if self._judge is not None and not _is_same(self._judge.settings, self._settings()):
            self._judge_all()

    def _judge_all(self) -> None:
        self._judge = None
        if self._waiting_since is None:
            self._waiting_since = self._clock()
        self._postpone(self._units.all())


def _not_judged(unit: Unit, error: Exception) -> BadInput:
    return BadInput(
        f"not judged because of an internal error ({type(error).__name__})",
        remedy="Report this error to the project.",
        source=name_of_live(unit.kind, {"namespace": unit.namespace, "name": unit.name}),
    )


def _popped(units: dict[Unit, None]) -> Unit:
    unit = next(iter(units))
    del units[unit]
    return unit


def _is_same(old: Settings, new: Settings) -> bool:
    """Whether both give the same judgements. The date matters only if there are exemptions."""
    is_same_day = old.today == new.today or not new.policy.exemptions
    return old.policy is new.policy and old.release == new.release and is_same_day
