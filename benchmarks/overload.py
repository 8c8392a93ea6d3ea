"""
More than can be judged (R22): `python -m benchmarks.overload [--seconds 30] [--surge 2]`.

First at the admission port: the program measures how many reviews a second one replica can judge, with live reads of two claims
each, and then sends three times as many for half a minute. The excess must be answered 503 with Retry-After at once, and the rest
must be judged nearly as fast as before. Then through the API server, with `failurePolicy: Ignore`: creations at three times the
rate that API server and replica can take, for a moment; none may fail or pass unjudged. The replica runs on core 0, everything
else on core 1.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping

from benchmarks import reviews
from benchmarks.figures import Figure, load_average, show
from benchmarks.measuring import pin
from benchmarks.rig import MACHINES, Rig, milliseconds, rig
from tests.apiserver.calls import Call, Job, Outcome, make, quantile, share_within
from tests.apiserver.load import webhook_metrics
from tests.apiserver.serving import Serving

TIMES = 3
GOAL_REFUSAL, GOAL_GOODPUT = 0.005, 0.8
CLIENTS = 448
"""Connections; a listener takes 512 of one source."""
SERVER_CORE, OTHER_CORE = 0, 1


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of overload at the admission port")
    parser.add_argument("--surge", type=float, default=2.0, help="seconds of overload through the API server")
    options = parser.parse_args()
    before = load_average()
    with rig() as running:
        for process in running.plane.processes.values():
            pin(process.popen.pid, OTHER_CORE)
        with running.serving(replicas=1, failure_policy="Ignore") as (replica,):
            pin(replica.popen.pid, SERVER_CORE)
            figures = [*_direct(running, replica, options), *_through(running, options)]
    conditions = (
        f"{TIMES} x capacity, {options.seconds:g} s at the admission port, {options.surge:g} s through the API server"
    )
    return show("R22", conditions, figures, before)


def _direct(running: Rig, replica: Serving, options: Namespace) -> list[Figure]:
    """At the admission port: the capacity, then three times as much."""
    within = max(2.0, options.seconds / 3)
    make(_reviews(running, replica, {200: '"allowed":true'}, rate=100, seconds=2))
    full = make(_reviews(running, replica, {200: '"allowed":true'}, clients=32, per_client=int(30 * within)))
    capacity = full.calls / full.took
    job = _reviews(
        running,
        replica,
        {200: '"allowed":true', 503: ""},
        rate=TIMES * capacity,
        seconds=options.seconds,
        clients=CLIENTS,
        from_due=False,
    )
    made = make(job)
    _tell(made)
    refused, judged = made.times.get("503", []), made.count(200)
    goodput = judged / made.took / capacity
    p99 = quantile(refused, 0.99)
    return [
        Figure(
            "capacity of one replica, reviews a second",
            f"{capacity:.0f} (p99 {milliseconds(quantile(full.all_times, 0.99))})",
        ),
        Figure("offered a second", f"{made.calls / made.took:.0f}", f"{TIMES * capacity:.0f}", None),
        Figure("judged, refused", f"{judged}, {len(refused)}"),
        Figure("neither", f"{made.failed}", "0", made.failed == 0),
        Figure("judged a second / capacity", f"{goodput:.2f}", ">= 0.8", goodput >= GOAL_GOODPUT),
        Figure(
            "judged: p50, p99",
            ", ".join(milliseconds(quantile(made.times.get("200", []), share)) for share in (0.5, 0.99)),
        ),
        Figure(
            "503 with Retry-After: p50, p99",
            f"{milliseconds(quantile(refused, 0.5))}, {milliseconds(p99)}",
            "<= 5 ms",
            not refused or p99 <= GOAL_REFUSAL,
        ),
        Figure("503 within 5 ms", f"{share_within(refused, GOAL_REFUSAL):.1%}"),
    ]


def _through(running: Rig, options: Namespace) -> list[Figure]:
    """Through the API server: the capacity, then three times as much for a moment."""
    full = make(running.creations(clients=32, per_client=30))
    capacity = full.calls / full.took
    counted = webhook_metrics(running.plane)
    made = make(running.creations(rate=TIMES * capacity, seconds=options.surge, clients=1000))
    after = webhook_metrics(running.plane)
    after.subtract(counted)
    _tell(made)
    return [
        Figure("capacity of the chain, creations a second", f"{capacity:.0f}"),
        Figure("creations in the surge, all after", f"{made.calls}, {made.took:.1f} s"),
        Figure(
            "p50, p99 of a creation", ", ".join(milliseconds(quantile(made.all_times, share)) for share in (0.5, 0.99))
        ),
        Figure("failed", f"{made.failed + after['failed']}", "0", made.failed + after["failed"] == 0),
        Figure("passed unjudged", f"{after['let through']}", "0", after["let through"] == 0),
    ]


def _reviews(running: Rig, replica: Serving, wanted: Mapping[int, str], **how: object) -> Job:
    """Reviews sent to the admission port as an API server sends them."""
    calls = [
        Call("POST", "/validate?timeout=5s", reviews.encoded(reviews.good(number)).decode())
        for number in range(MACHINES)
    ]
    texts = {str(status): text for status, text in wanted.items()}
    url = f"https://127.0.0.1:{replica.admission_port}"
    return Job(url, running.plane.ca.cert_pem.decode(), calls, texts, **how)  # type: ignore[arg-type]


def _tell(made: Outcome) -> None:
    """Prints the most frequent failures."""
    for text, number in Counter(made.failures).most_common(5):
        print(f"{number} x {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
