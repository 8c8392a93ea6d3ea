"""A watched cluster without threads and sockets: objects enter its store as a watch would bring them."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.audit.clusters import FakeCluster, Manifest, claim, kubevirt, vm
from tests.clocks import Clock
from webhook.audit.audit import audit
from webhook.audit.scope import Scope
from webhook.audit.watching.cluster import KINDS, WatchedCluster
from webhook.check.check import Settings
from webhook.cluster.pages import Lister
from webhook.objects.kinds import BY_CLASS, Kind, find_kind
from webhook.report.audited import Audit, Audited

EVERYTHING = Scope()


def kind_of(manifest: Manifest) -> Kind:
    kind = find_kind(manifest["apiVersion"], manifest["kind"])
    assert kind is not None
    return kind


def identity(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


class Watched:
    """A cluster whose objects a test changes, and its judgements."""

    def __init__(
        self,
        objects: Iterable[Manifest] = (),
        scope: Scope = EVERYTHING,
        settings: Any = None,
        *,
        cluster: WatchedCluster | None = None,
        begin: Callable[[], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``cluster`` is a cluster that the test has made, and ``begin`` begins to judge it."""
        self.clock = clock or Clock()
        self.settings = settings or Settings()
        self.objects: dict[tuple[str, str, str], Manifest] = {identity(one): one for one in objects}
        self.cluster = cluster or WatchedCluster(lambda: self.settings, scope, clock=self.clock)
        self.scope = scope
        self.version = 0
        self.store = self.cluster.facts.store
        for kind in KINDS:
            self.list_again(BY_CLASS[kind])
        self.auditor = self.cluster.auditor
        (begin or self.auditor.begin)()
        self.settle()

    def settle(self) -> int:
        """Judges until nothing is left. Returns the number of judged units."""
        before = self.auditor.judged
        while self.auditor.work() or self.auditor.waiting:
            self.clock.now += 1000.0 if not self.auditor._run else 0.0
        return self.auditor.judged - before

    def put(self, *manifests: Manifest) -> "Watched":
        """The watch brings added or modified objects."""
        for manifest in manifests:
            self.objects[identity(manifest)] = manifest
            self.store.put(kind_of(manifest).reads, self._encoded(manifest))
        return self

    def remove(self, *manifests: Manifest) -> "Watched":
        """The watch brings deleted objects."""
        for manifest in manifests:
            del self.objects[identity(manifest)]
            self.store.remove(kind_of(manifest).reads, self._encoded(manifest))
        return self

    def list_again(self, kind: Kind) -> None:
        """The kind is listed from the beginning."""
        every = [one for one in self.objects.values() if kind_of(one) is kind]
        seen = [self.store.read(kind.reads, self._encoded(one), kind.versions[0]) for one in every]
        self.store.replace(kind.reads, seen, kind.versions[0])

    def fresh(self) -> Audit:
        """The audit that lists the cluster now."""
        lister = Lister(FakeCluster(list(self.objects.values())).transport, 60.0)
        return audit(lister, self.settings, self.scope)

    def judged(self) -> dict[tuple[str, str, str], Audited]:
        """The watched judgements, by kind, namespace and name."""
        return {place(one): one for one in self.auditor.results.every()}

    def _encoded(self, manifest: Manifest) -> bytes:
        self.version += 1
        metadata = manifest["metadata"] | {"resourceVersion": str(self.version)}
        return json.dumps(manifest | {"metadata": metadata}).encode()


def place(audited: Audited) -> tuple[str, str, str]:
    report = audited.report
    return report.kind, report.namespace, report.name


def cluster(*more: Manifest) -> Watched:
    """Two VMs with a claim each in one namespace, one VM in another namespace, and more objects."""
    return Watched(
        [
            kubevirt(),
            vm("a", "one"),
            vm("b", "two"),
            vm("c", "three", namespace="bank"),
            claim("one"),
            claim("two"),
            claim("three", "bank"),
            *more,
        ]
    )


def of(watched: Watched, name: str, kind: str = "VirtualMachine", namespace: str = "shop") -> Audited:
    """The present judgement of an object."""
    return watched.judged()[kind, namespace, name]
