"""Replicas start, stop and are overloaded, and no call of a real API server fails."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.calls import Call, Job, make, quantile, to_apiserver
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import OBJECT, PATH, Load, webhook_metrics
from tests.apiserver.narrow import MOST
from tests.apiserver.serving import Serving, begin, install_hooks, install_hooks_at, serving
from tests.conftest import FIGURE
from tests.surfaces.admission.reviews import review
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.apiserver

RESTARTS = 5
DRAIN_SECONDS = 1.5
SHED = 50
CLIENTS, CALLS = 100, 5
TIMES = 3
"""How many times what a server takes is asked of it."""


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """One whose counters are of this test alone."""
    with ControlPlane(crds=crds.OWN) as running:
        yield running


def begun(plane: ControlPlane, folder: Path) -> Serving:
    """One more process, which serves on for long enough after SIGTERM."""
    return begin(plane.ca, folder, "--kubeconfig", str(plane.client.kubeconfig()), drain_seconds=DRAIN_SECONDS)


def restarted(plane: ControlPlane, balancer: Balancer, replica: Serving) -> Serving:
    """Restarts one pod like a rolling update: it gets SIGTERM, leaves the Service and ends, and another replaces it."""
    replica.popen.terminate()
    wait_until(lambda: not replica.ready(), PATIENCE_SECONDS, "it to be not ready any more")
    balancer.leave(replica.admission_port)
    code = replica.popen.wait(PATIENCE_SECONDS)
    assert code == 0, replica.log.read_text()[-3000:]
    again = begun(plane, replica.folder)
    wait_until(again.ready, PATIENCE_SECONDS, "it to be ready again")
    balancer.join(again.admission_port)
    return again


def test_every_call_gets_a_verdict_during_a_rolling_restart(
    plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Two replicas are replaced in turn, five times in all. Meanwhile, every call of the API server gets a verdict.
    """
    with ExitStack() as stack:
        replicas = [begun(plane, tmp_path / str(number)) for number in range(2)]
        stack.callback(lambda: [replica.stop() for replica in replicas])
        for replica in replicas:
            wait_until(replica.ready, PATIENCE_SECONDS, "migratable serve to be ready")
        balancer = stack.enter_context(Balancer([replica.admission_port for replica in replicas]))
        install_hooks_at(plane, balancer.port, timeout_seconds=30)
        before = webhook_metrics(plane)

        with Load(plane, rate=50) as load:
            for number in range(RESTARTS):
                replicas[number % 2] = restarted(plane, balancer, replicas[number % 2])

        counted = webhook_metrics(plane)
        counted.subtract(before)
    with capsys.disabled():
        print(f"\n{RESTARTS} restarts: {load.figures()}; the API server counted {dict(counted)}")
    assert load.failures == {}
    assert counted["failed"] == counted["let through"] == 0
    assert counted["calls"] >= load.calls > 0


def test_a_shed_review_is_retried_and_gets_a_verdict(
    plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The server sheds each review when it comes for the first time. Each call is retried and gets its verdict.
    """
    with serving(plane, tmp_path, module="tests.apiserver.shedding") as server:
        install_hooks(plane, server, timeout_seconds=30)
        before = webhook_metrics(plane)

        with Load(plane, rate=50) as load:
            wait_until(lambda: load.calls >= SHED, PATIENCE_SECONDS, "calls to be shed")

        counted = webhook_metrics(plane)
        counted.subtract(before)
    with capsys.disabled():
        print(f"\nevery review shed once: {load.figures()}; the API server counted {dict(counted)}")
    assert load.failures == {}
    assert min(load.seconds) >= 1
    assert counted["failed"] == counted["let through"] == 0


def test_every_call_of_a_burst_gets_a_verdict(
    plane: ControlPlane, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """
    R2: a hundred clients that call at the same time get a verdict five times each (`python -m benchmarks.burst` has 500
    clients).
    """
    with serving(plane, tmp_path) as server:
        install_hooks(plane, server, timeout_seconds=30)
        before = webhook_metrics(plane)
        denied = [Call("POST", PATH, json.dumps(OBJECT))]

        made = make(to_apiserver(plane, denied, {422: "hostDevices"}, clients=CLIENTS, per_client=CALLS))

        counted = webhook_metrics(plane)
        counted.subtract(before)
    p99 = quantile(made.all_times, 0.99)
    record_property(FIGURE, f"R2: {CLIENTS} clients x {CALLS} at once, {made.failed} failed, p99 {p99 * 1000:.0f} ms")
    assert (made.failures, made.calls) == ({}, CLIENTS * CALLS)
    assert counted["failed"] == counted["let through"] == 0


def test_calls_above_the_capacity_get_a_verdict_or_503(
    plane: ControlPlane, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """
    R22: calls above the capacity get 503 with Retry-After and are counted. Through the API server, every call gets a
    verdict.
    """
    body = json.dumps(naming_a_claim())
    clients = {"clients": TIMES * MOST, "per_client": CALLS}
    with serving(plane, tmp_path, module="tests.apiserver.narrow") as server:
        url, ca = f"https://127.0.0.1:{server.admission_port}", plane.ca.cert_pem.decode()
        reviews = [Call("POST", "/validate?timeout=30s", review("CREATE", naming_a_claim()).decode())]
        direct = make(Job(url, ca, reviews, {"200": '"allowed":true', "503": ""}, **clients))
        shed = re.search(r'^migratable_reviews_total\{.*outcome="shed".*\} (\S+)$', server.metrics(), re.MULTILINE)
        install_hooks(plane, server, timeout_seconds=30)
        before = webhook_metrics(plane)

        through = make(to_apiserver(plane, [Call("POST", PATH, body)], {201: ""}, **clients))

        counted = webhook_metrics(plane)
        counted.subtract(before)
    record_property(FIGURE, f"R22: of {direct.calls} reviews {direct.count(200)} judged and {direct.count(503)} shed")
    assert (direct.failures, through.failures) == ({}, {})
    assert direct.count(200) >= MOST
    assert shed is not None
    assert direct.count(503) == float(shed[1]) > 0
    assert counted["failed"] == counted["let through"] == 0


def naming_a_claim() -> dict[str, object]:
    """An instance that is admitted, with a warning, after a live read of a claim that is not there."""
    volumes = [{"name": "root", "persistentVolumeClaim": {"claimName": "absent"}}]
    interfaces, networks = [{"name": "default", "masquerade": {}}], [{"name": "default", "pod": {}}]
    devices = {"disks": [{"name": "root", "disk": {"bus": "virtio"}}], "interfaces": interfaces}
    spec = {"domain": {"devices": devices}, "networks": networks, "volumes": volumes}
    return {**OBJECT, "spec": spec}
