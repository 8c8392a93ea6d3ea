"""
A source of a running cluster, which is watched and judged all the time.

The rows change with each judgement. The drains are rehearsed from time to time, because they need all pods of the cluster.
"""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec.structs import replace

from webhook.audit.watching.changes import concerned
from webhook.audit.watching.cluster import WatchedCluster
from webhook.audit.watching.dependencies import Unit
from webhook.audit.watching.packed import Packed
from webhook.audit.watching.results import Difference
from webhook.audit.watching.world import WatchedWorld
from webhook.check.check import ReleaseChoice, Settings
from webhook.cluster.fleet import list_fleet
from webhook.cluster.ports import Transport
from webhook.cluster.projection import Key
from webhook.cluster.store import WHOLE_KIND, Stored
from webhook.console.policies import labelled, labels_by_namespace, matched_policies
from webhook.console.rehearsals import Rehearsals
from webhook.console.rows import Rows
from webhook.console.state import MatchedPolicy, State
from webhook.drain.revisions import named_revisions, with_revisions
from webhook.drain.vm_explanation import VMExplanation
from webhook.facts.fleet import Fleet
from webhook.facts.unknown import Unknown
from webhook.objects.fleet_kinds import DRAIN_KINDS, FLEET_BY_CLASS
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kinds import BY_CLASS
from webhook.objects.kubevirt import KubeVirt, MigrationPolicy
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import Namespace
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VirtualMachineInstance
from webhook.report.audited import Audited, UnreadReport
from webhook.report.building import problem_report

_DECIDE_POLICIES: Final = frozenset((MigrationPolicy, Namespace, VirtualMachine, VirtualMachineInstance))
_REQUIRED: Final = (KubeVirt, VirtualMachine, VirtualMachineInstance)
"""The kinds that a cluster with KubeVirt serves. Other kinds are parts that a cluster can lack."""
_LIST_SECONDS: Final = 300.0
_FIRST_JUDGEMENT_SECONDS: Final = 60.0
"""The longest time for which the first rehearsal waits for the first judgement of all objects."""
_MINUTE: Final = 60


class ClusterSource:
    """
    The state of a watched cluster. ``name`` is its name in the pages, and ``settings`` returns the current policy, release and
    date.

    ``clock`` returns monotonic seconds, and ``now`` seconds since 1970.
    """

    def __init__(
        self,
        transport: Transport,
        settings: Callable[[], Settings],
        name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport, self._settings, self._now = transport, settings, now
        self.cluster = WatchedCluster(settings, clock=clock, changed=self._changed)
        self.rehearsals = Rehearsals(
            lambda before: list_fleet(transport, DRAIN_KINDS, _LIST_SECONDS, before=before),
            self._with_revisions,
            settings,
            clock=clock,
            now=now,
        )
        self._lock = threading.Lock()
        self._rows = Rows()
        self._has_new_rows = False
        self._has_new_policies = False
        self._release: ReleaseChoice | None = None
        self._world = WatchedWorld(self.cluster.facts.store)
        self._process = os.urandom(4).hex()
        self._number = 0
        chosen = settings()
        self._state = State("", name, chosen.release or "any", chosen.policy.profile)

    def run(self, stopping: threading.Event) -> None:
        """Watches, judges and rehearses until ``stopping`` is set. Raises BadInput for a release that cannot be judged."""
        self.cluster.facts.start(transport=self._transport)
        threading.Thread(target=partial(self._rehearse, stopping), name="rehearse drains", daemon=True).start()
        try:
            self.judge(stopping)
        finally:
            self.cluster.facts.stop(1.0)

    def judge(self, stopping: threading.Event) -> None:
        """Judges until ``stopping`` is set."""
        if not self.cluster.wait_until_listed(stopping):
            return
        self.begin()
        while not stopping.is_set():
            self.work(1.0)

    def begin(self) -> None:
        """Begins to judge all objects. Call this when each kind has been listed or refused."""
        self.cluster.auditor.follow(self._differs)
        self.cluster.auditor.begin()

    def work(self, wait_seconds: float = 0.0) -> bool:
        """Judges one object, or waits for a change. Returns whether an object was judged."""
        auditor = self.cluster.auditor
        is_judged = auditor.work(wait_seconds)
        self._release = auditor.judge.release
        return is_judged

    def state(self) -> State:
        """The present state."""
        with self._lock:
            state = self._present()
            if state is not self._state:
                self._number += 1
                self._state = replace(state, version=f"{self._process}-{self._number}")
            return self._state

    def judged(self, namespace: str, name: str) -> tuple[Audited, ...]:
        """The VirtualMachine and the VMI of this name."""
        results = self.cluster.auditor.results
        kinds = (VirtualMachine.__name__, VirtualMachineInstance.__name__)
        return tuple(
            one for kind in kinds for one in results.of(Unit(kind, namespace, name)) if one.report.name == name
        )

    def explained(self, namespace: str, name: str) -> VMExplanation | None:
        """The explanation of a VM with the objects of the last rehearsal, or None if there is none, or no such VM."""
        return self.rehearsals.explained(namespace, name)

    def _present(self) -> State:
        """
        The present state, or the last one if nothing differs.

        Judgements differ even if all rows are equal: the page of a VM shows more than its row.
        """
        settings, release = self._settings(), self._release
        state = replace(
            self._state,
            release=release.label if release is not None else settings.release or "any",
            profile=settings.policy.profile,
            notes=release.notes if release is not None else (),
            drains=self.rehearsals.last.drains,
            unread=self._unread(),
            problems=tuple(map(problem_report, self.cluster.auditor.results.problems)),
            unfinished=self.cluster.unfinished,
            judged_at=self._judged_at(),
        )
        is_other = self._has_new_rows or not state.version
        if self._has_new_rows:
            self._has_new_rows = False
            state = replace(state, vms=self._rows.vms(), others=self._rows.others())
        if self._has_new_policies and self.cluster.is_listed:
            self._has_new_policies = False
            state = replace(state, policies=self._matched_policies())
        return state if is_other or state != self._state else self._state

    def _judged_at(self) -> float | None:
        """The minute in which the judgements equalled the cluster. With seconds, each answer would be another page."""
        age = self.cluster.age_seconds
        return None if age is None else (self._now() - age) // _MINUTE * _MINUTE

    def _unread(self) -> tuple[UnreadReport, ...]:
        store = self.cluster.facts.store
        found = {BY_CLASS[kind].kind: UnreadReport(BY_CLASS[kind].kind) for kind in self.cluster.refused}
        for kind in _REQUIRED:
            if store.missing(kind):
                found[kind.__name__] = UnreadReport(kind.__name__, "", "the cluster does not serve this kind", False)
        for unlisted, why in self.rehearsals.last.unread.items():
            name = FLEET_BY_CLASS[unlisted].kind
            found.setdefault(name, UnreadReport(name, "", why, False))
        return tuple(sorted(found.values()))

    def _matched_policies(self) -> tuple[MatchedPolicy, ...]:
        policies = self._world.every(MigrationPolicy)
        if isinstance(policies, Unknown) or not policies:
            return ()
        store = self.cluster.facts.store
        vms, vmis = (
            [one.view for _, one in store.objects(kind) if isinstance(one, Packed)]
            for kind in (VirtualMachine, VirtualMachineInstance)
        )
        return matched_policies(policies, labelled(vms, vmis), labels_by_namespace(policies, self._world))

    def _differs(self, difference: Difference) -> None:
        """Receives a difference, in the thread that judges."""
        with self._lock:
            self._rows.apply(difference)
            self._has_new_rows = True

    def _changed(self, kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None) -> None:
        """Receives a change of an object, in the threads of the watches."""
        if self._has_new_policies or kind not in _DECIDE_POLICIES:
            return
        if key == WHOLE_KIND or any(True for _ in concerned(kind, key, before, after)):
            self._has_new_policies = True  # after the store has changed, so that ``state`` cannot miss it

    def _rehearse(self, stopping: threading.Event) -> None:
        """Rehearses from the first judgement of all objects on. Both at once would delay the first pages."""
        until = time.monotonic() + _FIRST_JUDGEMENT_SECONDS
        while self.cluster.unfinished and time.monotonic() < until:
            if stopping.wait(0.1):
                return
        self.rehearsals.run(stopping.wait)

    def _with_revisions(self, fleet: Fleet) -> Fleet:
        store = self.cluster.facts.store
        found = (store.get(ControllerRevision, *key) for key in named_revisions(fleet))
        return with_revisions(
            fleet, tuple(one for one in found if isinstance(one, ControllerRevision) and one.data is not None)
        )
