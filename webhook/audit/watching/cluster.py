"""Watches all kinds that an audit needs, and judges."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from webhook.audit.listing import FACT_KINDS, MACHINE_KINDS
from webhook.audit.scope import Scope
from webhook.audit.watching.auditor import Auditor
from webhook.audit.watching.packed import Packing
from webhook.audit.watching.results import Results
from webhook.audit.watching.units import JUDGED
from webhook.check.check import Settings, report_on
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.listed import INSTANCETYPE
from webhook.cluster.projection import Key, Projection, Seen
from webhook.cluster.refusals import AUDIT
from webhook.cluster.store import Listener, Raw, Reader, Stored
from webhook.cluster.watch import Pace
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes
from webhook.report.audited import Audit, Audited, AuditReport, UnreadReport
from webhook.report.report_objects import SETTINGS_KINDS, key_of

KINDS: tuple[type[Kubernetes], ...] = tuple(kind.reads for kind in (*FACT_KINDS, *MACHINE_KINDS))
"""The watched kinds: those that ``webhook.audit.listing`` lists."""

PACE: Final = Pace(between_lists=30.0)
"""100,000 objects of a kind are listed at most once in 30 seconds."""


class WatchedCluster:
    """A cluster that is watched and judged. ``facts`` lists and watches it, ``auditor`` judges."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        scope: Scope | None = None,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        chance: Callable[[], float] = random.random,
        changed: Listener | None = None,
    ) -> None:
        """``changed`` also receives each change of an object."""
        self._also_changed = changed
        readers: dict[type[Kubernetes], Reader] = {kind: Packing(kind, self._known(kind)) for kind in JUDGED}
        readers[ControllerRevision] = Revisions()
        self.facts = ClusterFacts(
            KINDS,
            pace=pace or PACE,
            clock=clock,
            wait=wait,
            chance=chance,
            readers=readers,
            changed=self._changed,
            role=AUDIT,
        )
        self.auditor = Auditor(self.facts.store, settings, scope, clock=clock)

    @property
    def is_listed(self) -> bool:
        """Whether each kind was listed, is not served, or is refused."""
        store = self.facts.store
        return all(store.synced(kind) or store.missing(kind) or store.refused(kind) for kind in KINDS)

    @property
    def refused(self) -> tuple[type[Kubernetes], ...]:
        """The kinds that the account may not read, and that were never read."""
        store = self.facts.store
        return tuple(kind for kind in KINDS if store.refused(kind) and not store.synced(kind))

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the judgements were last known to equal the cluster. None before all units were judged."""
        if not self.auditor.complete:
            return None
        refused = {kind.__name__ for kind in self.refused}
        ages = [state.age_seconds for state in self.facts.statistics() if state.kind not in refused]
        return max(self.auditor.age_seconds, *(age for age in ages if age is not None))

    @property
    def unfinished(self) -> str:
        """Why not all objects were judged yet. Empty if all were judged."""
        if not self.is_listed:
            return self.facts.unread
        return "" if self.auditor.complete else f"objects to judge: {self.auditor.waiting}"

    def snapshot(self) -> Audit:
        """
        The present audit, as far as reports need it: objects without findings are left out, because there can be 100,000.
        """
        auditor = self.auditor
        objects = tuple(sorted(_for_reports(auditor.results), key=key_of))
        report = report_on(
            [audited.report for audited in objects],
            auditor.results.problems,
            auditor.judge.settings,
            auditor.judge.release,
            (),
        )
        fields = {name: getattr(report, name) for name in report.__struct_fields__}
        unread = tuple(sorted(UnreadReport(BY_CLASS[kind].kind) for kind in self.refused))
        scope = auditor.scope
        return Audit(AuditReport(**fields, shard=scope.shard, namespaces=scope.namespaces, unread=unread), objects)

    def wait_until_listed(self, stopping: threading.Event) -> bool:
        """Wait until ``is_listed``. Return False if ``stopping`` is set before."""
        while not self.is_listed:
            if stopping.wait(0.05):
                return False
        return True

    def run(self, stopping: threading.Event) -> None:
        """Judge until ``stopping`` is set. Raises BadInput for a release that cannot be judged."""
        if not self.wait_until_listed(stopping):
            return
        self.auditor.begin()
        while not stopping.is_set():
            self.auditor.work(1.0)

    def _known(self, kind: type[Kubernetes]) -> Callable[[Key], Stored | None]:
        return lambda key: self.facts.store.get(kind, *key)

    def _changed(self, kind: type[Kubernetes], key: Key, before: Stored | None, after: Stored | None) -> None:
        self.auditor.note(kind, key, before, after)
        if self._also_changed is not None:
            self._also_changed(kind, key, before, after)


def _for_reports(results: Results) -> Iterator[Audited]:
    """The objects with findings, and those by whose namespaces a report of the cluster is known."""
    for audited in results.every():
        if audited.report.findings or audited.report.kind in SETTINGS_KINDS:
            yield audited


class Revisions:
    """
    Reads ControllerRevisions. Those of StatefulSets and DaemonSets, which can contain a whole pod template, have no ``data``.
    """

    def __init__(self) -> None:
        self._projection = Projection(BY_CLASS[ControllerRevision])

    def read(self, raw: Raw, version: str) -> Seen:
        """Reads one object. Raises Malformed if the object has no name."""
        seen = self._projection.read(raw, version)
        if INSTANCETYPE in bytes(raw) or not isinstance(seen.value, ControllerRevision):
            return seen
        return msgspec.structs.replace(seen, value=msgspec.structs.replace(seen.value, data=None))
