"""
The CPU time of each stage of a review in microseconds: `python -m benchmarks.stages [ROUNDS]`.

One process, no network: the review of ``benchmarks.reviews`` and a store with its claims, first through the parts of the
admission endpoint and then through the endpoint itself, with ASGI and without. Then HTTP: the listener's protocol with a constant
answer, and the reader of live reads. The difference to ``benchmarks.admission`` is TLS and the kernel.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import reviews
from benchmarks.wire_stages import live_read_micros, protocol_micros
from webhook.cluster.facts import WATCHED, ClusterFacts
from webhook.judging.machines import judge
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import SUPPORTED
from webhook.kubevirt.subject import subject_of
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.storage import PersistentVolumeClaim
from webhook.policy.policy import Policy, PolicySubject, decide_all
from webhook.serve.active_configuration import ConfigurationSource
from webhook.serve.metrics import Metrics
from webhook.surfaces.admission.endpoint import AdmissionApp
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.responses import allowed
from webhook.surfaces.admission.validate import JudgingContext, decide_request

RUNS = 7


class Facts:
    """The facts of ``webhook.serve.cluster_facts``, from a store that this program fills."""

    ready = True

    def __init__(self) -> None:
        self.cluster = ClusterFacts()
        store = self.cluster.store
        for kind in WATCHED:
            store.replace(kind, [], "v1")
        spec = [{"metadata": {"name": "kubevirt", "namespace": "kubevirt", "resourceVersion": "1"}}]
        store.replace(KubeVirt, [store.read(KubeVirt, json.dumps(manifest).encode(), "v1") for manifest in spec], "v1")
        for name, mode in reviews.claims(1).items():
            claim = {
                "metadata": {"name": name, "namespace": reviews.NAMESPACE, "resourceVersion": "1"},
                "spec": {"accessModes": [mode]},
            }
            store.put(PersistentVolumeClaim, json.dumps(claim).encode())

    def world(self) -> Any:
        """As ``ClusterSource.world``."""
        return self.cluster.recording()

    def needs_confirmation(self, world: Any, _outcome: object) -> bool:
        """As for an outcome that allows, but without the look past the store, which takes a network."""
        return bool(world.untrusted)

    async def is_unchanged(self, _world: object, _outcome: object, _seconds: float) -> bool:
        """Never asked here."""
        return True

    def confirm(self, world: Any, _cached: object, decide: Callable[[Any], Any], _deadline: float) -> Any:
        """Never needed here."""
        return decide(world)

    def late(self, world: Any) -> Any:
        """Never needed here."""
        return world


def cpu(work: Callable[[], object], rounds: int) -> float:
    """Microseconds per call, the best of ``RUNS``."""
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, (time.process_time() - began) / rounds)
    return best * 1e6


def through_the_door(door: AdmissionApp, body: bytes) -> Callable[[], None]:
    """One request without HTTP; the coroutine never waits, so nothing but it is measured."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/validate",
        "query_string": b"timeout=10s",
        "headers": [(b"content-length", str(len(body)).encode())],
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        pass

    def once() -> None:
        try:
            door(scope, receive, send).send(None)
        except StopIteration:
            return
        raise AssertionError("the door waited")

    return once


def main() -> None:
    """Prints each stage beside ``json.loads`` of the same body."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    body = reviews.encoded(reviews.good())
    facts, metrics = Facts(), Metrics()
    configurations = ConfigurationSource(None, "", facts.world, lambda: "2026-01-01")
    door = AdmissionApp(facts, configurations, metrics, time.monotonic)
    read = read_review(body)
    assert isinstance(read, DecodedRequest)
    assert read.object is not None
    subject = subject_of(read.object)
    assert subject is not None
    now, machine = configurations(), read.object
    judgement = judge(machine, facts.world(), now.chosen.releases)
    judged = PolicySubject("VirtualMachine", "tenant", "a")

    def context() -> JudgingContext:
        return JudgingContext(facts.world(), now.chosen.releases, now.policy, now.today, now.install_namespace)

    def observe() -> None:
        for finding in judgement.findings:
            metrics.found(finding.rule.id, "VirtualMachine", "warn")
        metrics.reviewed("validate", "VirtualMachine", "CREATE", "allowed", 0.001)

    gc.freeze()
    stages: dict[str, Callable[[], object]] = {
        "json.loads": lambda: json.loads(body),
        "read the review": lambda: read_review(body),
        "what is in force": configurations,
        "expand, one VMI a group of releases": lambda: list(expand(subject, facts.world(), now.chosen.releases)),
        "judge (expansion and all rules)": lambda: judge(machine, facts.world(), now.chosen.releases),
        "policy": lambda: decide_all(judgement, Policy(), judged, "2026-01-01"),
        "decide (judge and policy)": lambda: decide_request(read, context()),
        "write the answer": lambda: allowed("uid", (), {"live-migratable": "true"}),
        "metrics": observe,
        "the whole door": lambda: door.answer_directly("/validate", b"timeout=10s", body, time.monotonic()),
        "the same, through ASGI": through_the_door(door, body),
    }
    took = {name: cpu(work, rounds) for name, work in stages.items()}
    took["HTTP: requests and limits"] = protocol_micros(body, rounds)
    took["live reads, two claims"] = live_read_micros(1, rounds)
    took["the same, 8 reviews at once"] = live_read_micros(8, rounds // 8 + 1)
    print(f"review of {len(body)} bytes, {SUPPORTED.bit_count()} releases, {len(judgement.findings)} findings")
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, best of {RUNS}")
    for name, micros in took.items():
        print(f"{name:38} {micros:8.1f} us  {micros / took['json.loads']:6.2f} x json.loads")


if __name__ == "__main__":
    main()
