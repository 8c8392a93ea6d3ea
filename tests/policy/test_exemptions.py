"""The state of exemptions on a date."""

import pytest
from prometheus_client import generate_latest

from webhook.policy.exemptions import ExpiryState, by_state, expiry_warnings
from webhook.policy.policy import Exemption, Policy
from webhook.serve.metrics import Metrics


def until(day: str) -> Exemption:
    return Exemption("LM201", "moving to shared storage", "team-a", day, namespace="tenant", name="db")


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2025-12-31", ExpiryState.EXPIRED),
        ("2026-01-01", ExpiryState.EXPIRING),
        ("2026-01-15", ExpiryState.EXPIRING),
        ("2026-01-16", ExpiryState.ACTIVE),
    ],
)
def test_an_exemption_applies_through_its_last_day_and_is_announced_two_weeks_before(
    day: str, state: ExpiryState
) -> None:
    """
    An exemption applies on its last day, and a warning appears fourteen days before.
    """
    entries = by_state(Policy(exemptions=[until(day)]), "2026-01-01")

    assert [state for state in ExpiryState if entries[state]] == [state]


def test_a_warning_names_the_rule_the_object_the_owner_and_the_date() -> None:
    """
    An exemption that expires later than in fourteen days produces no warning.
    """
    policy = Policy(exemptions=[until("2025-01-01"), until("2026-01-02"), until("2027-01-01")])

    assert expiry_warnings(policy, "2026-01-01") == [
        "the exemption from LM201 for tenant db (team-a) expired on 2025-01-01",
        "the exemption from LM201 for tenant db (team-a) expires on 2026-01-02",
    ]


def test_the_metric_has_all_three_states_from_the_start() -> None:
    """
    An alert needs the series before the first exemption exists.
    """
    metrics = Metrics()

    metrics.exempted(Policy(exemptions=[until("2026-01-02")]), "2026-01-01")

    lines = generate_latest(metrics.registry).decode().splitlines()
    assert [line for line in lines if line.startswith("migratable_exemptions{")] == [
        'migratable_exemptions{state="active"} 0.0',
        'migratable_exemptions{state="lapsing"} 1.0',
        'migratable_exemptions{state="lapsed"} 0.0',
    ]


def test_the_warning_about_an_exemption_for_all_objects_names_only_the_rule() -> None:
    """
    It names kind, namespace and name where the exemption has them.
    """
    everywhere = Exemption("LM201", "old", "team-a", "2025-01-01")
    one = Exemption("LM201", "old", "team-a", "2025-01-01", kind="VirtualMachine", namespace="tenant", name="db")

    assert expiry_warnings(Policy(exemptions=[everywhere, one]), "2026-01-01") == [
        "the exemption from LM201 (team-a) expired on 2025-01-01",
        "the exemption from LM201 for VirtualMachine tenant db (team-a) expired on 2025-01-01",
    ]
