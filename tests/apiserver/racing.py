"""
VMs that are created while the objects to which they refer change: which VMs may be refused, and which may be admitted.

For each subject the oracle records when each edit was requested and when it was acknowledged. It therefore knows which
states were possible at any time.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tests.apiserver.client import Client

Manifest: TypeAlias = dict[str, Any]
State: TypeAlias = Literal["good", "bad", "open"]
"""Whether a VM on it can be live-migrated; None if it is not yet known."""

SETTLED_SECONDS = 1.0
MERGE = "application/merge-patch+json"
WRITE_FORBIDS = 422


@dataclass
class Edit:
    """A change of state: it became true at some moment between these two, monotonic seconds."""

    state: State
    asked: float
    acknowledged: float = float("inf")


@dataclass
class Subject:
    """Something that a machine refers to, and how its state went."""

    name: str
    machine: Manifest
    """``spec`` of a VirtualMachine whose verdict depends on it."""
    turn: Callable[[State], None]
    """Puts a state into the cluster."""
    ways: Sequence[State]
    edits: list[Edit] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, state: State) -> None:
        """One edit, with its times."""
        edit = Edit(state, time.monotonic())
        self.edits.append(edit)
        self.turn(state)
        edit.acknowledged = time.monotonic()

    def possible(self, start: float, end: float) -> set[State]:
        """The states that may have been true at some moment of this span."""
        edits = list(self.edits)
        ends = [edit.acknowledged for edit in edits[1:]] + [float("inf")]
        return {edit.state for edit, over in zip(edits, ends, strict=True) if edit.asked <= end and over >= start}


@dataclass
class Tally:
    """The observed decisions."""

    creates: int = 0
    edits: int = 0
    denied: int = 0
    allowed: int = 0
    settled_bad: int = 0
    """How many creations there were of machines whose subject had been bad for a while."""
    wrong: list[str] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.edits} edits, {self.creates} creations ({self.allowed} allowed, {self.denied} denied, "
            f"{self.settled_bad} of settled bad ones), {len(self.wrong)} wrong {dict(self.by_kind)}"
        )


class Race:
    """Subjects of four kinds in one namespace, editors, and creators of machines."""

    def __init__(self, client: Client, namespace: str, count: int, seed: int = 1) -> None:
        self.client, self.namespace = client, namespace
        self.chance = random.Random(seed)
        self.subjects = list(self._subjects(count))
        self.tally = Tally()
        self._lock = threading.Lock()
        for subject in self.subjects:
            subject.change("bad")
            subject.change("good")

    def run(self, edits: int, per_second: float, creators: int = 3) -> Tally:
        """So many edits at about this rate, while creators create without a pause; the tally of this run."""
        self.tally = Tally()
        over = threading.Event()
        creating = [threading.Thread(target=self._create, args=(seed, over)) for seed in range(creators)]
        for thread in creating:
            thread.start()
        try:
            began = time.monotonic()
            for number in range(edits):
                subject = self.chance.choice(self.subjects)
                subject.change(self.chance.choice([way for way in subject.ways if way != subject.edits[-1].state]))
                self.tally.edits += 1
                over.wait(max(0.0, began + number / per_second - time.monotonic()))
            over.wait(2 * SETTLED_SECONDS)  # the last edits settle too
        finally:
            over.set()
            for thread in creating:
                thread.join()
        return self.tally

    def _create(self, seed: int, over: threading.Event) -> None:
        chance = random.Random(seed)
        path = f"/apis/kubevirt.io/v1/namespaces/{self.namespace}/virtualmachines?dryRun=All"
        while not over.is_set():
            subject = chance.choice(self.subjects)
            machine = {
                "apiVersion": "kubevirt.io/v1",
                "kind": "VirtualMachine",
                "metadata": {"generateName": f"{subject.name}-"},
                "spec": subject.machine,
            }
            start = time.monotonic()
            reply = self.client.api("POST", path, machine)
            self._note(subject, start, time.monotonic(), reply.status, str(reply.document.get("message", "")))

    def _note(self, subject: Subject, start: float, end: float, status: int, message: str) -> None:
        during, before = subject.possible(start, end), subject.possible(start - SETTLED_SECONDS, end)
        with self._lock:
            self.tally.creates += 1
            self.tally.settled_bad += before == {"bad"}
            wrong = ""
            if status == 201:
                self.tally.allowed += 1
                if before == {"bad"}:
                    wrong = "allowed although it had been bad"
            elif status == WRITE_FORBIDS:
                self.tally.denied += 1
                if "bad" not in during:
                    wrong = f"denied although it was {' or '.join(sorted(during))}: {message[:300]}"
            else:
                wrong = f"answered {status}: {message[:300]}"
            if wrong:
                since = f"{end - subject.edits[-1].acknowledged:.2f} s after the last edit"
                self.tally.wrong.append(f"{subject.name} {wrong}, {since}")
                self.tally.by_kind[subject.name.partition("-")[0]] += 1

    def _subjects(self, count: int) -> Iterator[Subject]:
        for number in range(count):
            yield self._claim(f"claim-{number}")
            yield self._volume(f"volume-{number}")
            yield self._profile(f"profile-{number}")
            yield self._instancetype(f"instancetype-{number}")

    def _claim(self, name: str) -> Subject:
        """A claim. Its access modes are immutable, so it is deleted and created again."""
        base = f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims"

        def turn(state: State) -> None:
            if self.client.api("GET", f"{base}/{name}").status == 200:
                self.client.api("DELETE", f"{base}/{name}")
                self.client.api("PATCH", f"{base}/{name}", {"metadata": {"finalizers": None}}, content_type=MERGE)
            if state != "open":
                spec = {"accessModes": [_mode(state)], "resources": {"requests": {"storage": "1Gi"}}}
                self.client.create(base, {"metadata": {"name": name}, "spec": spec})

        return Subject(
            name, _machine(volume={"persistentVolumeClaim": {"claimName": name}}), turn, ("good", "bad", "open")
        )

    def _volume(self, name: str) -> Subject:
        """A DataVolume that says its modes itself."""
        base = f"/apis/cdi.kubevirt.io/v1beta1/namespaces/{self.namespace}/datavolumes"

        def turn(state: State) -> None:
            spec = {"pvc": {"accessModes": [_mode(state)]}, "source": {"blank": {}}}
            self._put(
                base,
                {
                    "apiVersion": "cdi.kubevirt.io/v1beta1",
                    "kind": "DataVolume",
                    "metadata": {"name": name},
                    "spec": spec,
                },
            )

        return Subject(name, _machine(volume={"dataVolume": {"name": name}}), turn, ("good", "bad"))

    def _profile(self, name: str) -> Subject:
        """A DataVolume that leaves its modes to a StorageProfile, which changes."""
        name = f"{name}-{self.namespace}"
        volumes = f"/apis/cdi.kubevirt.io/v1beta1/namespaces/{self.namespace}/datavolumes"
        version = "cdi.kubevirt.io/v1beta1"
        spec = {"storage": {"storageClassName": name}, "source": {"blank": {}}}
        self.client.create(
            volumes, {"apiVersion": version, "kind": "DataVolume", "metadata": {"name": name}, "spec": spec}
        )

        def turn(state: State) -> None:
            sets = [{"accessModes": [_mode(state)], "volumeMode": "Block"}]
            body = {"apiVersion": version, "kind": "StorageProfile", "metadata": {"name": name}}
            self._put(f"/apis/{version}/storageprofiles", body | {"spec": {"claimPropertySets": sets}})

        return Subject(name, _machine(volume={"dataVolume": {"name": name}}), turn, ("good", "bad"))

    def _instancetype(self, name: str) -> Subject:
        """An instancetype that gains and loses a GPU."""
        version = "instancetype.kubevirt.io/v1beta1"
        base = f"/apis/{version}/namespaces/{self.namespace}/virtualmachineinstancetypes"
        kind = "VirtualMachineInstancetype"

        def turn(state: State) -> None:
            spec: Manifest = {"cpu": {"guest": 1}, "memory": {"guest": "64Mi"}}
            spec |= {"gpus": [{"name": "g", "deviceName": "vendor.com/gpu"}]} if state == "bad" else {}
            self._put(base, {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})

        machine = _machine() | {"instancetype": {"name": name, "kind": kind}}
        return Subject(name, machine, turn, ("good", "bad"))

    def _put(self, base: str, body: Manifest) -> None:
        """Replaces the object, or makes it."""
        path = f"{base}/{body['metadata']['name']}"
        stored = self.client.api("GET", path)
        if stored.status == 404:
            self.client.create(base, body)
            return
        body["metadata"]["resourceVersion"] = stored.document["metadata"]["resourceVersion"]
        reply = self.client.api("PUT", path, body)
        assert reply.status == 200, reply.document


def _mode(state: State) -> str:
    return "ReadWriteMany" if state == "good" else "ReadWriteOnce"


def _machine(volume: Manifest | None = None) -> Manifest:
    devices = {"interfaces": [{"name": "default", "masquerade": {}}]}
    spec: Manifest = {"domain": {"devices": devices}, "networks": [{"name": "default", "pod": {}}]}
    if volume is not None:
        spec["volumes"] = [{"name": "os", **volume}]
    return {"runStrategy": "Halted", "template": {"metadata": {}, "spec": spec}}
