"""
The migrations that KubeVirt's evacuation controller creates for a node, by patch release.

Source: ``pkg/virt-controller/watch/drain/evacuation/evacuation.go``, ``pkg/util/migrations/migrations.go`` and
``staging/src/kubevirt.io/api/core/v1/types.go`` (IsRunning), v1.3.0 to v1.9.0.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from webhook.drain.evictions import DESCHEDULER, EVICTION_SOURCE, Key, Strategy, strategy_of
from webhook.kubevirt.feature_gates import gate_is_on
from webhook.kubevirt.releases import KNOWN, Version, judged_as, only
from webhook.kubevirt.settings.settings import (
    NODE_DRAIN_TAINT_KEY,
    PARALLEL_CLUSTER,
    PARALLEL_OUTBOUND,
    same_in_all,
    written,
)
from webhook.objects.kubevirt import Configuration
from webhook.objects.pods import Pod
from webhook.objects.running import Migration, RunningVMI
from webhook.objects.scheduling import Taint

EVACUATION: Final = "kubevirt.io/evacuationMigration"
"""The annotation of a migration that the controller creates, with the name of the node."""
NOT_MIGRATABLE_EVENT: Final = "Normal FailedCreate VirtualMachineInstance is not migrateable"
_NO_SCHEDULE: Final = "NoSchedule"
_PRIORITY_QUEUE: Final = "MigrationPriorityQueue"
_ALWAYS_QUEUED: Final = Version(1, 9, 0)
"""The first release in which gate MigrationPriorityQueue has no effect, because the queue is always in use."""
_SYNCHRONIZES: Final = Version(1, 6, 0)
_SENDS: Final = Version(1, 6, 4)
_NO_SLOT: Final = frozenset(("", "Pending", "Succeeded", "Failed"))
_NO_SLOT_WHILE_SYNCHRONIZING: Final = frozenset(("WaitingForSync", "Synchronizing"))


class Priority(StrEnum):
    """The ``spec.priority`` of an evacuation migration."""

    SYSTEM_CRITICAL = "system-critical"
    SYSTEM_MAINTENANCE = "system-maintenance"


class Candidate(msgspec.Struct, frozen=True):
    """A migration that the controller creates if no limit holds it back."""

    namespace: str
    name: str
    annotations: Mapping[str, str]
    priority: Priority | None = None
    """The priority, or None if the release or the configuration has no priorities."""


class Evacuation(msgspec.Struct, frozen=True):
    """One pass of the controller over a node."""

    candidates: tuple[Candidate, ...]
    created: int
    """The number of candidates for which the controller creates a migration. Their choice is random."""
    warned: tuple[Key, ...] = ()
    """The VMIs for which the controller sends ``NOT_MIGRATABLE_EVENT`` while slots are left. Empty with the priority queue."""


class Controller:
    """The evacuation controller in one state of the cluster."""

    def __init__(
        self,
        vmis: Iterable[RunningVMI],
        pods: Iterable[Pod],
        migrations: Iterable[Migration],
        configuration: Configuration,
        version: Version,
        now: datetime,
    ) -> None:
        self._configuration, self._version, self._now = configuration, version, now
        self._on_node: dict[str, list[RunningVMI]] = {}
        for vmi in vmis:
            self._on_node.setdefault(vmi.node, []).append(vmi)
        unfinished = [migration for migration in migrations if not migration.is_final]
        self._migrating = {(migration.namespace, migration.spec.vmi_name) for migration in unfinished}
        self._running = [migration.spec.vmi_name for migration in unfinished if takes_slot(migration, version)]
        self._active_pods = Counter(_controllers(pods))
        settings = same_in_all(KNOWN) | written(configuration.migrations)
        self._taint_key: str = settings[NODE_DRAIN_TAINT_KEY]
        self._per_cluster: int = settings[PARALLEL_CLUSTER]
        self._per_node: int = settings[PARALLEL_OUTBOUND]
        self._is_queued = has_priority_queue(configuration, version)

    def evacuate(self, node: str, taints: Iterable[Taint] = ()) -> Evacuation:
        """One pass over ``node`` (``sync``)."""
        on_node = self._on_node.get(node, [])
        is_drained = any(taint.key == self._taint_key and taint.effect == _NO_SCHEDULE for taint in taints)
        asked = on_node if is_drained else [vmi for vmi in on_node if self._is_marked(vmi)]
        wanted = [vmi for vmi in asked if self._wants_migration(vmi)]
        candidates = tuple(self._candidate(vmi, node) for vmi in wanted if vmi.is_migratable and self._is_free(vmi))
        if self._is_queued:
            return Evacuation(candidates, len(candidates))
        created = max(min(self._free_slots(on_node), len(candidates)), 0)
        warned = tuple((vmi.namespace, vmi.name) for vmi in wanted if not vmi.is_migratable)
        return Evacuation(candidates, created, warned)

    def _is_marked(self, vmi: RunningVMI) -> bool:
        return vmi.mark == vmi.node and not is_migrating(vmi, self._now)

    def _wants_migration(self, vmi: RunningVMI) -> bool:
        if vmi.is_final or vmi.meta.deletion_timestamp is not None:
            return False
        strategy = strategy_of(vmi, self._configuration)
        return strategy == Strategy.LIVE_MIGRATE or (strategy == Strategy.IF_POSSIBLE and vmi.is_migratable)

    def _is_free(self, vmi: RunningVMI) -> bool:
        """Whether the VMI has no unfinished migration and at most one active pod."""
        active = self._active_pods[vmi.namespace, vmi.meta.uid]
        return (vmi.namespace, vmi.name) not in self._migrating and active <= 1

    def _candidate(self, vmi: RunningVMI, node: str) -> Candidate:
        priority = None
        if self._is_queued:
            by_descheduler = (vmi.meta.annotations or {}).get(EVICTION_SOURCE) == DESCHEDULER
            priority = Priority.SYSTEM_MAINTENANCE if by_descheduler else Priority.SYSTEM_CRITICAL
        return Candidate(vmi.namespace, vmi.name, {EVACUATION: node}, priority)

    def _free_slots(self, on_node: Sequence[RunningVMI]) -> int:
        """
        The migrations that the controller may create. The count for the node compares names without namespaces
        (``numOfVMIMForThisSourceNode``).
        """
        names = {vmi.name for vmi in on_node}
        outbound = sum(name in names for name in self._running)
        return min(self._per_cluster - len(self._running), self._per_node - outbound)


def has_priority_queue(configuration: Configuration, version: Version) -> bool:
    """Whether the limits apply only in the migration controller, which orders migrations by priority."""
    release = judged_as(version.release)
    if version >= _ALWAYS_QUEUED or release is None:
        return version >= _ALWAYS_QUEUED
    return bool(gate_is_on(configuration, _PRIORITY_QUEUE, only(release)))


def takes_slot(migration: Migration, version: Version) -> bool:
    """Whether the migration counts against the limits (``IsRunning``)."""
    phase = migration.status.phase
    if phase in _NO_SLOT or (version >= _SYNCHRONIZES and phase in _NO_SLOT_WHILE_SYNCHRONIZING):
        return False
    is_source = migration.spec.send_to is not None and migration.spec.receive is None
    return not (version >= _SENDS and phase == "Scheduling" and is_source)


def is_migrating(vmi: RunningVMI, now: datetime) -> bool:
    """Whether the latest migration of the VMI has started and not ended (``IsMigrating``)."""
    state = vmi.status.migration_state if vmi.status is not None else None
    if state is None:
        return False
    return _has_come(state.start_timestamp, now) and not _has_come(state.end_timestamp, now)


def _has_come(timestamp: str | None, now: datetime) -> bool:
    """Whether a timestamp is set and not in the future. API servers accept only timestamps with a time zone."""
    if not timestamp:
        return False
    try:
        instant = datetime.fromisoformat(timestamp)
    except ValueError:
        return False
    return instant.tzinfo is not None and instant <= now


def _controllers(pods: Iterable[Pod]) -> Iterator[tuple[str, str | None]]:
    """Yields namespace and controller UID of each pod that has not finished."""
    for pod in pods:
        if not pod.is_finished:
            yield from ((pod.namespace, owner.uid) for owner in pod.meta.owner_references or () if owner.controller)
