"""
Reads facts from a running cluster: watches keep a store up to date, and worlds look up objects in the store.

A world without a live reader never waits. A world with a live reader reads objects from the API server if the store cannot be
trusted. The store cannot be trusted for ControllerRevisions, which are not watched, for kinds that are not listed yet, and for
kinds whose watch is stale.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from webhook.cluster.interruptions import Interruptions
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.lookups import LiveWorld, RecordingWorld
from webhook.cluster.messages import invalid_name, missing_object, never_read, not_read, stale
from webhook.cluster.ports import AsyncReader, LiveReader, Transport
from webhook.cluster.refusals import SERVER, Refusals, Role
from webhook.cluster.store import FRESH_SECONDS, KindStatistics, Listener, Reader, Store
from webhook.cluster.unchanged import is_unchanged
from webhook.cluster.watch import Pace, Watch
from webhook.facts.unknown import ABSENT, Fact, Found, Unknown
from webhook.objects import disruption, instancetype, kubevirt, nad, quotas, storage
from webhook.objects.fleet_kinds import prepare_decoding
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes

K = TypeVar("K", bound=Kubernetes)
Kinds = Sequence[type[Kubernetes]]

WATCHED: Kinds = (
    kubevirt.KubeVirt,
    kubevirt.MigrationPolicy,
    nad.NetworkAttachmentDefinition,
    nad.Node,
    nad.Namespace,
    nad.ServiceCIDR,
    storage.StorageClass,
    storage.StorageProfile,
    storage.DataSource,
    storage.DataVolume,
    storage.PersistentVolumeClaim,
    instancetype.VirtualMachineInstancetype,
    instancetype.VirtualMachineClusterInstancetype,
    instancetype.VirtualMachinePreference,
    instancetype.VirtualMachineClusterPreference,
)
NEVER_READ: frozenset[type[Kubernetes]] = frozenset(
    (storage.PersistentVolume, disruption.PodDisruptionBudget, quotas.ResourceQuota)
)
"""Kinds that the server does not read, because only advice needs them and a cluster can have 100,000 objects of the kind."""
DEADLINE_SECONDS = 2.0
"""The default limit for all live reads of one world together."""


class ClusterWorld:
    """
    A World of a cluster, for one judgement. The live reads of a world end ``deadline_seconds`` after its creation.

    ``default_namespace`` is the namespace of objects that name none.
    """

    def __init__(
        self,
        store: Store,
        live: LiveReader | None = None,
        *,
        default_namespace: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._live = live
        self._default = default_namespace
        self._clock = clock
        self._until = clock() + deadline_seconds
        self._trusted: dict[type[Kubernetes], bool] = {}

    def trusted(self, kind: type[Kubernetes]) -> bool:
        """Whether the store can be trusted for the kind. One judgement uses the first result."""
        known = self._trusted.get(kind)
        if known is None:
            known = self._trusted[kind] = self._store.trusted(kind)
        return known

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """Returns the stored object, or reads the object live if the store cannot be trusted."""
        if kind in NEVER_READ:
            return never_read(kind)
        known = BY_CLASS[kind]
        space = (namespace or self._default) if known.namespaced else ""
        trusted = self.trusted(kind)
        if trusted and (held := self._store.get(kind, space, name)) is not None:
            return held
        if problem := invalid_name(known, space, name):
            return problem
        if trusted:
            return ABSENT if self._store.missing(kind) else missing_object(kind, space, name)
        if self._live is None:
            return self._untrusted(kind)
        return self._live.confirm(kind, space, name, self._until - self._clock())

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """Returns all stored objects, or lists the objects live if the store cannot be trusted."""
        if kind in NEVER_READ:
            return never_read(kind)
        if self.trusted(kind):
            return self._store.every(kind)
        if self._live is None:
            return self._untrusted(kind)
        return self._live.confirm_every(kind, self._until - self._clock())

    def for_advice(self) -> "ClusterWorld":
        """Returns the stored objects, without live reads."""
        return ClusterWorld(self._store, default_namespace=self._default, deadline_seconds=0.0, clock=self._clock)

    def _untrusted(self, kind: type[Kubernetes]) -> Unknown:
        is_listed = self._store.holds(kind) and self._store.synced(kind)
        return stale(kind, FRESH_SECONDS) if is_listed else not_read(kind)


class ClusterFacts:
    """
    Lists and watches a cluster from ``start`` to ``stop``.

    Tests can replace three functions. ``wait`` pauses a thread and returns whether to stop. ``chance`` returns numbers in [0,
    1) for jitter. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self,
        kinds: Kinds = WATCHED,
        *,
        default_namespace: str = "",
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        chance: Callable[[], float] = random.random,
        readers: Mapping[type[Kubernetes], Reader] | None = None,
        changed: Listener | None = None,
        role: Role = SERVER,
    ) -> None:
        """If a kind is refused, the log names ``role``."""
        self.store = Store(kinds, clock, readers=readers, **({} if changed is None else {"changed": changed}))
        self._kinds = tuple(kinds)
        self._role = role
        self._default = default_namespace
        self._pace = pace or Pace()
        self._clock = clock
        self._stopping = threading.Event()
        self._wait = wait or self._stopping.wait
        self._chance = chance
        self._transport: Transport | None = None
        self._reader: AsyncReader | None = None
        self._threads: list[threading.Thread] = []
        self._is_ready = False

    def start(
        self, kubeconfig: Path | None = None, context: str | None = None, *, transport: Transport | None = None
    ) -> None:
        """
        Start one thread for each kind and return.

        Uses the pod's ServiceAccount if ``kubeconfig`` is None. Raises Misconfigured if there are no credentials.
        """
        if transport is None:
            from webhook.cluster.kubernetes_client import connect  # noqa: PLC0415 - the client is slow to import

            transport = connect(kubeconfig, context)
        self._transport = transport
        refusals = Refusals(self._kinds, self._role)
        interruptions = Interruptions(self._pace.unreachable[1], self._clock)
        prepare_decoding()
        for kind in self._kinds:
            watch = Watch(
                kind,
                self.store,
                transport,
                wait=self._wait,
                clock=self._clock,
                chance=self._chance,
                pace=self._pace,
                refusals=refusals,
                interruptions=interruptions,
            )
            thread = threading.Thread(target=watch.run, name=f"watch {kind.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, within_seconds: float = 5.0) -> None:
        """End all watches. A thread that does not stop in time runs until the process ends."""
        self._stopping.set()
        if self._transport is not None:
            self._transport.close()
        if self._reader is not None:
            self._reader.close()
        until = time.monotonic() + within_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads.clear()

    @property
    def ready(self) -> bool:
        """Whether each kind has been listed or is not served by the cluster."""
        if not self._is_ready:  # once listed, a kind stays listed or becomes a kind that is not served
            self._is_ready = all(self.store.synced(kind) or self.store.missing(kind) for kind in self._kinds)
        return self._is_ready

    @property
    def unread(self) -> str:
        """The kinds that are not listed yet, with the problems; empty if ``ready``."""
        waiting = [state for state in self.store.statistics() if not state.synced and not state.missing]
        if not waiting:
            return ""
        problems = ", ".join(sorted({state.problem for state in waiting if state.problem}))
        text = f"not listed yet: {', '.join(state.kind for state in waiting)}"
        return f"{text}. Problem: {problems}" if problems else text

    @property
    def stale(self) -> tuple[str, ...]:
        """The kinds without a list, event or bookmark in the last ``FRESH_SECONDS``."""
        return tuple(kind.__name__ for kind in self._kinds if not self.store.fresh(kind))

    @property
    def transport(self) -> Transport:
        """The connection to the API server. Raises RuntimeError before ``start``."""
        if self._transport is None:
            raise RuntimeError("not started")
        return self._transport

    @property
    def live(self) -> LiveReader | None:
        """A reader of the API server, or None before ``start``."""
        if self._transport is None:
            return None
        return LiveReads(self._transport, self.store.version, self._clock)

    def world(self, deadline_seconds: float | None = None) -> ClusterWorld:
        """
        Returns a world for one judgement. A world without ``deadline_seconds`` never waits, so it can be used on an event loop.
        A world with ``deadline_seconds`` reads objects live if the store cannot be trusted. All its live reads together end
        after about that time.
        """
        return ClusterWorld(
            self.store,
            None if deadline_seconds is None else self.live,
            default_namespace=self._default,
            deadline_seconds=deadline_seconds or 0.0,
            clock=self._clock,
        )

    def recording(self) -> RecordingWorld:
        """Returns a world that never waits, and records its lookups for ``confirming``."""
        world = self.world()
        return RecordingWorld(world, world.trusted)

    def confirming(self, recording: RecordingWorld, deadline_seconds: float) -> LiveWorld | None:
        """
        Returns a world that repeats the recorded lookups at the API server within ``deadline_seconds``, or None before
        ``start``.
        """
        live = self.live
        if live is None:
            return None
        return LiveWorld(recording, live, self._clock() + deadline_seconds, self._default, self._clock)

    async def is_unchanged(self, recording: RecordingWorld, within_seconds: float) -> bool:
        """Whether the API server confirms that the objects that were looked up by name are unchanged."""
        if self._reader is None:
            self._reader = self._transport.async_reader() if self._transport is not None else None
            if self._reader is None:
                return False
        return await is_unchanged(recording, self._reader, self.store, within_seconds, self._default)

    def statistics(self) -> tuple[KindStatistics, ...]:
        """Returns the state of each kind, for metrics."""
        return self.store.statistics()
