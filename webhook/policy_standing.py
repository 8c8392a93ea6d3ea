"""How the exemptions of a policy stand on a day, so that nobody is surprised when one lapses. This file reads no clock."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from webhook.policy import Exemption, Policy

WARNING_DAYS = 14


class Standing(StrEnum):
    """What an exemption is worth on a day."""

    ACTIVE = "active"
    LAPSING = "lapsing"
    """It still holds, for ``WARNING_DAYS`` or less."""
    LAPSED = "lapsed"


def standing(policy: Policy, today: str) -> Mapping[Standing, list[Exemption]]:
    """The exemptions of ``policy`` by how they stand on ``today`` (``YYYY-MM-DD``)."""
    soon = (date.fromisoformat(today) + timedelta(days=WARNING_DAYS)).isoformat()
    found: dict[Standing, list[Exemption]] = {state: [] for state in Standing}
    for each in policy.exemptions:
        state = Standing.LAPSED if each.until < today else Standing.LAPSING if each.until <= soon else Standing.ACTIVE
        found[state].append(each)
    return found


def words(policy: Policy, today: str) -> list[str]:
    """A line for each exemption that has lapsed or will within ``WARNING_DAYS``."""
    found = standing(policy, today)
    lines = [f"the exemption from {_whom(each)} lapsed on {each.until}" for each in found[Standing.LAPSED]]
    return lines + [f"the exemption from {_whom(each)} lapses on {each.until}" for each in found[Standing.LAPSING]]


def _whom(each: Exemption) -> str:
    where = [part for part in (each.kind, each.namespace, each.name) if part]
    return f"{each.rule}{' for ' + ' '.join(where) if where else ''} ({each.owner})"
