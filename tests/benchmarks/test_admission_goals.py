"""The goals of the admission benchmark."""

from benchmarks.admission import goals
from benchmarks.contestants.starting import AT_HAND, GO, LIVE, OPA


def test_each_goal_says_whether_it_is_met() -> None:
    """
    Ratios of CPU time, and latencies with live reads at two rates.
    """
    rows = {
        AT_HAND: {"cpu_ms": 0.2, "fixed_cpu_ms": 0.4},
        LIVE: {"cpu_ms": 0.5, "fixed_cpu_ms": 0.6, "half_p99_ms": 31.0, "fixed_p99_ms": 3.0},
        GO: {"cpu_ms": 0.2, "fixed_cpu_ms": 0.3},
        OPA: {"cpu_ms": 0.5, "fixed_cpu_ms": 0.8},
    }

    assert list(goals(rows, 100)) == [
        "migratable, claims at hand: 1.00 x Go net/http, five checks in CPU time (goal: 1, met)",
        "  at the same rate, 100/s: 1.33 x",
        "migratable, claims at hand: 0.40 x OPA server, five checks in CPU time (goal: 0.2, missed)",
        "  at the same rate, 100/s: 0.50 x",
        "migratable, claims read live: 2.50 x Go net/http, five checks in CPU time (goal: 2.5, met)",
        "  at the same rate, 100/s: 2.00 x",
        "migratable, claims read live: p99 31.0 ms at half load (goal: 30 ms, missed)",
        "migratable, claims read live: p99 3.0 ms at 100/s, as if the API server had a core of its own (goal: 30 ms, met)",
        "migratable, claims at hand: 4.0 x the lower limit (Rust hyper, 0.05 ms)",
        "migratable, claims read live: 10.0 x the lower limit (Rust hyper, 0.05 ms)",
    ]


def test_a_goal_without_its_servers_is_left_out() -> None:
    """
    `--only` chooses servers.
    """
    assert list(goals({GO: {"cpu_ms": 0.2}}, 100)) == []
