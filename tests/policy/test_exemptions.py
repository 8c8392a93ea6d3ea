"""How exemptions stand on a day."""

import pytest
from prometheus_client import generate_latest

from webhook.policy.exemptions import Standing, standing, words
from webhook.policy.policy import Exemption, Policy
from webhook.serve.metrics import Metrics


def until(day: str) -> Exemption:
    return Exemption("LM201", "moving to shared storage", "team-a", day, namespace="tenant", name="db")


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2025-12-31", Standing.LAPSED),
        ("2026-01-01", Standing.LAPSING),
        ("2026-01-15", Standing.LAPSING),
        ("2026-01-16", Standing.ACTIVE),
    ],
)
def test_an_exemption_holds_up_to_its_day_and_is_announced_two_weeks_before(day: str, state: Standing) -> None:
    """
    The last day counts; fourteen days before it people are told.
    """
    found = standing(Policy(exemptions=[until(day)]), "2026-01-01")

    assert [each for each in Standing if found[each]] == [state]


def test_what_lapses_is_said_with_whose_it_is() -> None:
    """
    Rule, object, owner and day; what is far off is not mentioned.
    """
    policy = Policy(exemptions=[until("2025-01-01"), until("2026-01-02"), until("2027-01-01")])

    assert words(policy, "2026-01-01") == [
        "the exemption from LM201 for tenant db (team-a) expired on 2025-01-01",
        "the exemption from LM201 for tenant db (team-a) expires on 2026-01-02",
    ]


def test_all_three_states_are_shown_from_the_start() -> None:
    """
    An alert needs the series to be there before there is anything to count.
    """
    metrics = Metrics()

    metrics.exempted(Policy(exemptions=[until("2026-01-02")]), "2026-01-01")

    lines = generate_latest(metrics.registry).decode().splitlines()
    assert [line for line in lines if line.startswith("migratable_exemptions{")] == [
        'migratable_exemptions{state="active"} 0.0',
        'migratable_exemptions{state="lapsing"} 1.0',
        'migratable_exemptions{state="lapsed"} 0.0',
    ]


def test_an_exemption_for_everything_names_its_rule_alone() -> None:
    """
    Kind, namespace and name are named where they are written.
    """
    everywhere = Exemption("LM201", "old", "team-a", "2025-01-01")
    one = Exemption("LM201", "old", "team-a", "2025-01-01", kind="VirtualMachine", namespace="tenant", name="db")

    assert words(Policy(exemptions=[everywhere, one]), "2026-01-01") == [
        "the exemption from LM201 (team-a) expired on 2025-01-01",
        "the exemption from LM201 for VirtualMachine tenant db (team-a) expired on 2025-01-01",
    ]
