"""Which exemptions and accounts of a policy are in force on a date, and which expire soon. This module reads no clock."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias

from webhook.policy.policy import Account, Exemption, Policy

WARNING_DAYS = 14

Expiring: TypeAlias = Exemption | Account
"""An entry of the policy file that expires."""


class Standing(StrEnum):
    """The state of an exemption or account on a date."""

    ACTIVE = "active"
    LAPSING = "lapsing"
    """It still holds, for ``WARNING_DAYS`` or less."""
    LAPSED = "lapsed"


def standing(policy: Policy, today: str) -> Mapping[Standing, list[Expiring]]:
    """The exemptions and accounts of ``policy`` by their state on ``today`` (``YYYY-MM-DD``)."""
    soon = (date.fromisoformat(today) + timedelta(days=WARNING_DAYS)).isoformat()
    found: dict[Standing, list[Expiring]] = {state: [] for state in Standing}
    entries: tuple[Expiring, ...] = (*policy.exemptions, *policy.accounts)
    for each in entries:
        state = Standing.LAPSED if each.until < today else Standing.LAPSING if each.until <= soon else Standing.ACTIVE
        found[state].append(each)
    return found


def words(policy: Policy, today: str) -> list[str]:
    """A line for each exemption and account that has expired or expires within ``WARNING_DAYS``."""
    found = standing(policy, today)
    lines = [f"{_named(each)} expired on {each.until}" for each in found[Standing.LAPSED]]
    return lines + [f"{_named(each)} expires on {each.until}" for each in found[Standing.LAPSING]]


def _named(each: Expiring) -> str:
    if isinstance(each, Account):
        where = f" in {each.namespace}" if each.namespace else ""
        return f"the entry for account {each.account}{where} ({each.owner})"
    parts = [part for part in (each.kind, each.namespace, each.name) if part]
    return f"the exemption from {each.rule}{' for ' + ' '.join(parts) if parts else ''} ({each.owner})"
