"""A watched cluster without threads and sockets, and the state that the pages show of it."""

from collections.abc import Collection, Mapping
from typing import Any

from tests.audit.clusters import FORBIDDEN, Manifest
from tests.audit.watching.watched import Watched, identity
from tests.clocks import Clock
from tests.cluster.fake_apiserver import NOT_SERVED, FakeTransport, answer
from webhook.check.check import Settings
from webhook.cluster.live_reads import path_of
from webhook.cluster.ports import Answer
from webhook.console.cluster_source import ClusterSource
from webhook.console.state import State
from webhook.objects.fleet_kinds import DRAIN_KINDS, find_fleet_kind
from webhook.objects.kinds import KINDS, find_kind

MORNING = 1_800_000_000.0
"""A full minute, in seconds since 1970."""


class WatchedSource:
    """A cluster whose objects a test changes, and its source. ``settle`` judges the changes."""

    def __init__(self, *objects: Manifest, settings: Settings | None = None) -> None:
        self.clock = Clock()
        self.settings = settings or Settings()
        self.objects = {identity(one): one for one in objects}
        self.refused: Collection[str] = ()
        self.began = self.clock.now
        self.source = ClusterSource(
            FakeTransport(self._get), lambda: self.settings, "lab", clock=self.clock, now=self._now
        )
        self.watched = Watched(
            filter(is_watched, objects), cluster=self.source.cluster, begin=self.source.begin, clock=self.clock
        )
        self.began = self.clock.now
        self.source.work()

    @property
    def state(self) -> State:
        return self.source.state()

    def put(self, *objects: Manifest) -> "WatchedSource":
        """Adds or changes objects, and judges what they concern."""
        self.objects |= {identity(one): one for one in objects}
        self.watched.put(*filter(is_watched, objects))
        return self.settle()

    def remove(self, *objects: Manifest) -> "WatchedSource":
        """Removes objects, and judges what they concern."""
        for one in objects:
            del self.objects[identity(one)]
        self.watched.remove(*filter(is_watched, objects))
        return self.settle()

    def settle(self) -> "WatchedSource":
        self.watched.settle()
        self.source.work()
        self.hear()
        return self

    def hear(self) -> None:
        """Bookmarks of all watches arrive."""
        for kind in KINDS:
            if self.watched.store.holds(kind.reads):
                self.watched.store.heard(kind.reads)

    def _now(self) -> float:
        return MORNING + self.clock.now - self.began

    def _get(self, path: str, _query: Mapping[str, str]) -> Answer:
        """A list of the objects of one kind."""
        for kind in DRAIN_KINDS:
            if path == path_of(kind, kind.versions[0]):
                if kind.kind in self.refused:
                    return FORBIDDEN
                items: list[Any] = [
                    one for one in self.objects.values() if find_fleet_kind(one["apiVersion"], one["kind"]) is kind
                ]
                return answer({"metadata": {"resourceVersion": "1"}, "items": items})
        return NOT_SERVED


def is_watched(manifest: Manifest) -> bool:
    return find_kind(manifest["apiVersion"], manifest["kind"]) is not None
