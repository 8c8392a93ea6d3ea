"""Replicas come and go, and have too much to do, and no call of a real API server fails."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import Load, webhook_metrics
from tests.apiserver.serving import START_SECONDS, Serving, begin, install_hooks, install_hooks_at, serving
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

RESTARTS = 5
DRAIN_SECONDS = 1.5
PATIENCE_SECONDS = 60.0
SHED = 50


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """One whose counters are of this test alone."""
    with ControlPlane(crds=crds.OWN) as running:
        yield running


def begun(plane: ControlPlane, folder: Path) -> Serving:
    """One more process, which serves on for long enough after SIGTERM."""
    return begin(plane.ca, folder, "--kubeconfig", str(plane.client.kubeconfig()), drain_seconds=DRAIN_SECONDS)


def restarted(plane: ControlPlane, balancer: Balancer, replica: Serving) -> Serving:
    """What a rolling restart does to one pod: it is asked to end, leaves the Service, ends, and another takes its place."""
    replica.popen.terminate()
    wait_until(lambda: not replica.ready(), PATIENCE_SECONDS, "it to be not ready any more")
    balancer.leave(replica.admission_port)
    code = replica.popen.wait(PATIENCE_SECONDS)
    assert code == 0, replica.log.read_text()[-3000:]
    again = begun(plane, replica.folder)
    wait_until(again.ready, START_SECONDS, "it to be ready again")
    balancer.join(again.admission_port)
    return again


def test_a_rolling_restart_under_load_loses_no_call(
    plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    While each of two replicas in turn is replaced, five times in all, every call of the API server gets our verdict.
    """
    with ExitStack() as stack:
        replicas = [begun(plane, tmp_path / str(number)) for number in range(2)]
        stack.callback(lambda: [each.stop() for each in replicas])
        for each in replicas:
            wait_until(each.ready, START_SECONDS, "migratable serve to be ready")
        balancer = stack.enter_context(Balancer([each.admission_port for each in replicas]))
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


def test_what_is_too_much_comes_again_and_nothing_is_lost(
    plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A server that is overloaded whenever a review comes for the first time costs a second, and no call.
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
