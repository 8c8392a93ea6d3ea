"""
Replicas come and go under load: `python -m benchmarks.restarts [--times 20] [--rate 100]`.

The program restarts two replicas in turn, first as a rollout does (R9), then after `kill -9` (R10), while a real API server calls
them through a stand-in for a Service. The stand-in drops a dead replica at once; a cluster needs a moment longer.
"""

import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Figure, load_average, show
from tests.apiserver import crds
from tests.apiserver.balancer import Balancer
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import WORKERS, Load, webhook_metrics
from tests.apiserver.serving import Serving, begin, install_hooks_at
from tests.waiting import PATIENCE_SECONDS, wait_until

DRAIN_SECONDS = 1.5
GOAL_CALLS = 20_000
NORMAL_SECONDS = 1.0


class Replicas:
    """Two replicas behind a Service."""

    def __init__(self, plane: ControlPlane, folder: Path, stack: ExitStack) -> None:
        self._plane, self._folder = plane, folder
        self._begun = 0
        self.running = [self._begin(), self._begin()]
        stack.callback(lambda: [replica.stop() for replica in self.running])
        for replica in self.running:
            wait_until(replica.ready, PATIENCE_SECONDS, "migratable serve to be ready")
        self.balancer = stack.enter_context(Balancer([replica.admission_port for replica in self.running]))

    def _begin(self) -> Serving:
        self._begun += 1
        kubeconfig = str(self._plane.client.kubeconfig())
        folder = self._folder / str(self._begun)
        return begin(self._plane.ca, folder, "--kubeconfig", kubeconfig, drain_seconds=DRAIN_SECONDS)

    def end(self, number: int) -> None:
        """As kubelet and a Service end a replica."""
        replica = self.running[number]
        replica.popen.terminate()
        wait_until(lambda: not replica.ready(), PATIENCE_SECONDS, "it to be not ready any more")
        self.balancer.leave(replica.admission_port)
        replica.popen.wait(PATIENCE_SECONDS)

    def kill(self, number: int) -> None:
        """As a node that loses power ends a replica."""
        replica = self.running[number]
        replica.popen.kill()
        replica.popen.wait(PATIENCE_SECONDS)
        self.balancer.leave(replica.admission_port)

    def start(self, number: int) -> None:
        """Starts another replica in its place."""
        self.running[number] = self._begin()
        wait_until(self.running[number].ready, PATIENCE_SECONDS, "it to be ready again")
        self.balancer.join(self.running[number].admission_port)


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="restarts of each kind")
    parser.add_argument("--rate", type=float, default=100.0, help="admissions a second")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migratable-benchmark-")))
        plane = stack.enter_context(ControlPlane(crds=crds.OWN))
        replicas = Replicas(plane, folder, stack)
        install_hooks_at(plane, replicas.balancer.port, timeout_seconds=30)
        missed = _graceful(plane, replicas, options.times, options.rate)
        return _killed(plane, replicas, options.times, options.rate) or missed


def _graceful(plane: ControlPlane, replicas: Replicas, times: int, rate: float) -> int:
    before, counted = load_average(), webhook_metrics(plane)
    with Load(plane, rate) as load:
        for number in range(times):
            replicas.end(number % 2)
            replicas.start(number % 2)
    after = webhook_metrics(plane)
    after.subtract(counted)
    failed = load.failures.total() + after["failed"] + after["let through"]
    figures = [
        Figure("admissions", load.figures(), f">= {GOAL_CALLS:,}", load.calls >= GOAL_CALLS),
        Figure("failed or let through", f"{failed}", "0", failed == 0),
    ]
    return show("R9", f"{times} graceful restarts of one of two replicas", figures, before)


def _killed(plane: ControlPlane, replicas: Replicas, times: int, rate: float) -> int:
    before, failures, late = load_average(), list[int](), 0
    with Load(plane, rate) as load:
        for number in range(times):
            failed = load.failures.total()
            replicas.kill(number % 2)
            time.sleep(NORMAL_SECONDS)
            soon = load.failures.total()
            replicas.start(number % 2)
            failures.append(load.failures.total() - failed)
            late += load.failures.total() - soon
    for text, number in load.failures.most_common(3):
        print(f"{number} x {text}", file=sys.stderr)
    figures = [
        Figure("admissions", load.figures()),
        Figure(
            f"failed, most in one kill ({WORKERS} callers)",
            f"{sum(failures)}, {max(failures)}",
            f"<= {WORKERS}",
            max(failures) <= WORKERS,
        ),
        Figure("failed later than 1 s after a kill", f"{late}", "0", late == 0),
    ]
    return show("R10", f"{times} x kill -9 of one of two replicas", figures, before)


if __name__ == "__main__":
    sys.exit(main())
