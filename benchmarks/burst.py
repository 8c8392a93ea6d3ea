"""
A burst through a real API server (R2): `python -m benchmarks.burst [--clients 500] [--calls 20]`.

Each client creates VirtualMachines with two claims in dry runs, one after the other: first without webhooks, then with two
replicas behind the defaulting and the validating webhook, which are two calls for each creation. The clients connect before the
burst begins. Everything shares the cores of the machine, so the ratio says more than the seconds.
"""

import sys
from argparse import ArgumentParser

from benchmarks.figures import Figure, load_average, show
from benchmarks.rig import milliseconds, rig
from tests.apiserver.calls import make, quantile
from tests.apiserver.load import webhook_metrics

GOAL_SECONDS = 1.0


def main() -> int:
    """Prints the figures; exit status 1 where a goal is missed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--calls", type=int, default=20, help="of each client")
    options = parser.parse_args()
    before = load_average()
    with rig() as running:
        job = running.creations(clients=options.clients, per_client=options.calls)
        make(running.creations(clients=8, per_client=20))
        without = make(job)
        with running.serving():
            make(running.creations(clients=8, per_client=20))
            counted = webhook_metrics(running.plane)
            present = make(job)
            after = webhook_metrics(running.plane)
    after.subtract(counted)
    p99, bare = quantile(present.all_times, 0.99), quantile(without.all_times, 0.99)
    failed = present.failed + after["failed"] + after["let through"]
    figures = [
        Figure("without webhooks: p50, p99", f"{milliseconds(quantile(without.all_times, 0.5))}, {milliseconds(bare)}"),
        Figure("without webhooks: creations a second, failed", f"{without.calls / without.took:.0f}, {without.failed}"),
        Figure("with webhooks: p50", milliseconds(quantile(present.all_times, 0.5))),
        Figure("with webhooks: p99", milliseconds(p99), "< 1 s", p99 < GOAL_SECONDS),
        Figure("with webhooks: creations a second", f"{present.calls / present.took:.0f}"),
        Figure("failed or let through", f"{failed} of {present.calls}", "0", failed == 0),
        Figure("p99 with webhooks / without", f"{p99 / bare:.2f}"),
    ]
    for text, number in present.failures.most_common(5):
        print(f"{number} x {text}", file=sys.stderr)
    return show("R2", f"burst of {options.clients} clients x {options.calls} creations", figures, before)


if __name__ == "__main__":
    sys.exit(main())
