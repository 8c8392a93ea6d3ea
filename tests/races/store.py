"""
The cluster's cache under stress: one writer for each kind, as in the product, and readers that remember what they saw.

Invariants: a lookup returns the object of that name; its version never decreases; the list of a kind holds every object that was
seen before, unless it was removed or became unreadable since.
"""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.races.stress import Run, run_all
from webhook.cluster.projection import Seen
from webhook.cluster.store import Store
from webhook.facts.unknown import Unknown
from webhook.objects.nad import NetworkAttachmentDefinition as Network

NAMESPACE = "shop"
NAMES = tuple(f"network-{number}" for number in range(24))
READERS = 4
UNREADABLE = 0.02
"""Share of objects whose config is a number, which no NetworkAttachmentDefinition can have."""


@dataclass
class Writer:
    """Events and lists of one kind, and what the cluster holds after them."""

    store: Store
    chance: random.Random
    version: int = 0
    model: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """The version of each object, and whether it can be read."""
    removed: dict[str, int] = field(default_factory=dict)
    """The version up to which an object may be missing in lists: it was removed, or could not be read; written before that."""

    def once(self) -> None:
        """One event, or one list of everything."""
        dice, name = self.chance.random(), self.chance.choice(NAMES)
        if dice < 0.6:
            self.store.put(Network, self._made(name))
        elif dice < 0.85:
            self._remove(name)
        elif dice < 0.95:
            self._list()
        elif dice < 0.98:
            self.store.heard(Network)
        elif dice < 0.99:
            self.store.failed(Network, "stress")
        else:
            for candidate in NAMES:
                self.removed[candidate] = self.version
            self.model.clear()
            self.store.miss(Network)

    def _made(self, name: str) -> bytes:
        readable = self.chance.random() >= UNREADABLE
        if not readable:
            self.removed[name] = self.version
        self.version += 1
        self.model[name] = (self.version, readable)
        return raw(name, self.version, readable)

    def _remove(self, name: str) -> None:
        self.removed[name] = self.version
        self.version += 1
        self.model.pop(name, None)
        self.store.remove(Network, raw(name, self.version, readable=True))

    def _list(self) -> None:
        """Half of the objects are as they were, some are gone, some have changed."""
        listed: list[bytes] = []
        for name in NAMES:
            if (held := self.model.get(name)) is not None and self.chance.random() < 0.6:
                listed.append(raw(name, *held))
            elif self.chance.random() < 0.5:
                listed.append(self._made(name))
            else:
                self.removed[name] = self.version
                self.model.pop(name, None)
        seen: list[Seen] = [self.store.read(Network, document, "v1") for document in listed]
        self.store.replace(Network, iter(seen), "v1")


def raw(name: str, version: int, readable: bool) -> bytes:
    """A network as the API server sends it; its config repeats name and version."""
    metadata = {"name": name, "namespace": NAMESPACE, "uid": name, "resourceVersion": str(version)}
    config = json.dumps({"name": name, "version": version}) if readable else 7
    return json.dumps({"metadata": metadata, "spec": {"config": config}}).encode()


@dataclass
class Reader:
    """Looks things up and compares them with what it saw before."""

    store: Store
    writer: Writer
    run: Run
    chance: random.Random
    seen: dict[str, int] = field(default_factory=dict)

    def once(self) -> None:
        """One object, then all of them."""
        name = self.chance.choice(NAMES)
        self._one(name, self.store.get(Network, NAMESPACE, name))
        if self.chance.random() < 0.3:
            self._all()

    def _one(self, name: str, stored: Network | Unknown | None) -> None:
        if not isinstance(stored, Network):
            return
        version = int(stored.meta.resource_version or 0)
        if stored.name != name or json.loads(str(stored.spec.config)) != {"name": name, "version": version}:
            self.run.report(f"{name}: another object came: {stored}")
        if version < self.seen.get(name, 0):
            self.run.report(f"{name}: version {version} came after {self.seen[name]}")
        self.seen[name] = version

    def _all(self) -> None:
        before = dict(self.seen)
        every = self.store.every(Network)
        if isinstance(every, Unknown):
            return
        held = {network.name: int(network.meta.resource_version or 0) for network in every}
        if len(held) != len(every):
            self.run.report("an object is in the list twice")
        for name, version in before.items():
            if name not in held and self.writer.removed.get(name, -1) < version:
                self.run.report(f"{name}: version {version} is missing in the list, and nothing removed it")
            if held.get(name, version) < version:
                self.run.report(f"{name}: the list has version {held[name]}, and {version} was seen before")
        for network in every:
            self._one(network.name, network)


def stress(seconds: float, seed: int) -> Run:
    """Writers and readers for so long, and a comparison with the model once it is quiet."""
    run, store = Run(seconds), Store([Network], time.monotonic)
    writer = Writer(store, random.Random(seed))
    store.replace(Network, [], "v1")
    readers = [Reader(store, writer, run, random.Random(seed + number + 1)) for number in range(READERS)]
    workers: list[tuple[str, Callable[[], None]]] = [("writer", writer.once)]
    workers += [(f"reader {number}", reader.once) for number, reader in enumerate(readers)]
    workers.append(("statistics", lambda: _counts(store, run)))
    run_all(run, workers)
    _compare(store, writer, run)
    return run


def _counts(store: Store, run: Run) -> None:
    (counted,) = store.statistics()
    if counted.undecodable < 0 or counted.objects < 0:
        run.report(f"impossible counts: {counted}")


def _compare(store: Store, writer: Writer, run: Run) -> None:
    """What is stored when nothing happens any more."""
    for name in NAMES:
        held, wanted = store.get(Network, NAMESPACE, name), writer.model.get(name)
        if (held is None) != (wanted is None) or (wanted and isinstance(held, Unknown) == wanted[1]):
            run.report(f"{name}: the store holds {held}, the cluster {wanted}")
        elif isinstance(held, Network) and wanted and held.meta.resource_version != str(wanted[0]):
            run.report(f"{name}: the store holds version {held.meta.resource_version}, the cluster {wanted[0]}")
    (counted,) = store.statistics()
    unreadable = sum(not readable for _, readable in writer.model.values())
    if (counted.objects, counted.undecodable) != (len(writer.model), unreadable):
        run.report(f"the store counts {counted}, the cluster has {len(writer.model)}, {unreadable} of them unreadable")
    every = store.every(Network)
    if isinstance(every, Unknown) or len(every) != len(writer.model) - unreadable:
        run.report(f"the list is {every}, the cluster has {len(writer.model)} objects, {unreadable} of them unreadable")
