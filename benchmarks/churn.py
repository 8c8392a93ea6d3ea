"""
A cluster that changes all the time (R15): `python -m benchmarks.churn [--seconds 600] [--rate 300] [--churn 200]`.

Two replicas behind a real API server judge creations of VirtualMachines with two claims in dry runs: first with nothing else
going on, then while those claims change 200 times a second, which every replica watches. The lag of a change runs from the moment
at which its write is sent until it is in a replica's store. Everything shares the cores of the machine.
"""

import os
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, load_average, show
from benchmarks.rig import (
    Rig,
    bucketed_quantile,
    difference,
    milliseconds,
    rig,
    webhook_buckets,
)
from tests.apiserver.calls import Calls, Job, Outcome, make, quantile, share_within
from tests.apiserver.load import webhook_metrics

GOAL_STEP, GOAL_LAG = 0.05, 0.5
"""Seconds at p99: of the webhook's step in a creation, and of the lag of a watch."""


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=300.0, help="creations a second")
    parser.add_argument("--churn", type=float, default=200.0, help="changes of claims a second")
    options = parser.parse_args()
    before = load_average()
    with rig() as running:
        os.environ["MIGRATABLE_LAGS"] = str(running.folder / "lags")
        load = running.creations(rate=options.rate, seconds=options.seconds, clients=64)
        with running.serving(module="benchmarks.watch_lag"):
            make(running.creations(clients=8, per_client=20))
            alone, alone_step = _measured(
                running, running.creations(rate=options.rate, seconds=min(30, options.seconds))
            )
            counted = webhook_metrics(running.plane)
            with Calls(running.changes(options.churn, options.seconds + 1)) as churn:
                made, step = _measured(running, load)
                changed = churn.outcome()
            after = webhook_metrics(running.plane)
        after.subtract(counted)
        lags = sorted(map(float, Path(os.environ["MIGRATABLE_LAGS"]).read_text().split()))
    figures = _figures((alone, alone_step), (made, step), changed, lags, after)
    for text, number in (made.failures + changed.failures).most_common(5):
        print(f"{number} x {text}", file=sys.stderr)
    conditions = f"{options.seconds:g} s, {options.rate:g} creations and {options.churn:g} changes of claims a second"
    return show("R15", conditions, figures, before)


def _measured(running: Rig, job: Job) -> tuple[Outcome, Counter[float]]:
    """How the calls ended, and the API server's histogram of the webhooks' time meanwhile."""
    before = webhook_buckets(running.plane)
    made = make(job)
    return made, difference(webhook_buckets(running.plane), before)


def _figures(
    alone: tuple[Outcome, Counter[float]],
    beside: tuple[Outcome, Counter[float]],
    changed: Outcome,
    lags: Sequence[float],
    counted: Counter[str],
) -> list[Figure]:
    (quiet, quiet_step), (made, step) = alone, beside
    p99 = bucketed_quantile(step, 0.99)
    failed = made.failed + changed.failed + counted["failed"] + counted["let through"]
    within = step[0.025] / step[float("inf")] if step[float("inf")] else 0.0
    times = " / ".join(milliseconds(quantile(load.all_times, share)) for load in (quiet, made) for share in (0.5, 0.99))
    return [
        Figure(
            "creations, changes of claims", f"{made.calls} ({made.calls / made.took:.0f} a second), {changed.calls}"
        ),
        Figure("failed or let through", f"{failed} of {made.calls}", "0", failed == 0),
        Figure("webhook step, p99 (interpolated)", milliseconds(p99), "<= 50 ms", p99 <= GOAL_STEP),
        Figure("the same without changes", milliseconds(bucketed_quantile(quiet_step, 0.99))),
        Figure("webhook steps within 25 ms", f"{within:.1%}"),
        Figure("a creation: p50 / p99 without, with changes", times),
        Figure(
            "lag of the watch, p99",
            f"{milliseconds(quantile(lags, 0.99))} of {len(lags)} events, p50 {milliseconds(quantile(lags, 0.5))}",
            "<= 500 ms",
            quantile(lags, 0.99) <= GOAL_LAG,
        ),
        Figure("lags within 500 ms", f"{share_within(lags, GOAL_LAG):.2%}"),
    ]


if __name__ == "__main__":
    sys.exit(main())
