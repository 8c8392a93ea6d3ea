"""
Facts from a running cluster: a store that is kept up to date, and worlds that look things up in it.

A world without a live reader never waits. With one it reads past the store what the store cannot be trusted for:
ControllerRevisions, which are not watched, kinds that are not listed yet, and kinds of which nothing was heard lately.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from webhook.facts.unknown import Fact, Found, Unknown
from webhook.facts.world import World
from webhook.objects import instancetype, kubevirt, nad, storage
from webhook.objects.kinds import BY_CLASS
from webhook.objects.meta import Kubernetes
from webhook.resolve.live import LiveReads
from webhook.resolve.ports import LiveReader, Transport
from webhook.resolve.projection import METADATA_ONLY
from webhook.resolve.store import FRESH_SECONDS, KindStatistics, Store
from webhook.resolve.watching import Pace, Watch
from webhook.resolve.wording import invalid_name, not_read, not_there, stale

K = TypeVar("K", bound=Kubernetes)
Kinds = Sequence[type[Kubernetes]]

WATCHED: Kinds = (
    kubevirt.KubeVirt,
    kubevirt.MigrationPolicy,
    nad.NetworkAttachmentDefinition,
    nad.Node,
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
DEADLINE_SECONDS = 2.0
"""For all live reads of one world together, unless its maker says otherwise."""


class ClusterWorld:
    """
    The World of a cluster; one judgement each, because ``deadline_seconds`` for all its live reads start now.

    ``default_namespace`` counts where an object names none.
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

    def find(self, kind: type[K], namespace: str, name: str) -> Found[K]:
        """The stored object, or what a live read gives where the store cannot be trusted."""
        known = BY_CLASS[kind]
        space = (namespace or self._default) if known.namespaced else ""
        trusted = is_trusted(self._store, kind)
        if trusted and (held := self._store.get(kind, space, name)) is not None:
            return held
        if problem := invalid_name(known, space, name):
            return problem
        if trusted:
            if self._store.missing(kind) and kind is not storage.PersistentVolumeClaim:
                return _absent(kind, space, name)
            return not_there(kind, space, name)
        if self._live is None:
            return self._untrusted(kind)
        return self._live.confirm(kind, space, name, self._until - self._clock())

    def every(self, kind: type[K]) -> Fact[tuple[K, ...]]:
        """All stored objects, or what a live list gives where the store cannot be trusted."""
        if is_trusted(self._store, kind):
            return self._store.every(kind)
        if self._live is None:
            return self._untrusted(kind)
        return self._live.confirm_every(kind, self._until - self._clock())

    def _untrusted(self, kind: type[Kubernetes]) -> Unknown:
        heard = self._store.holds(kind) and self._store.synced(kind)
        return stale(kind, FRESH_SECONDS) if heard else not_read(kind)
