"""Exemptions and accounts that expire soon or have expired. This module reads no clock: the date is an argument."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias

from webhook.policy.policy import Account, Exemption, Policy

WARNING_DAYS = 14
"""Exemptions and accounts that expire within this number of days produce a warning."""

Expiring: TypeAlias = Exemption | Account
"""An entry of the policy file that expires."""


class ExpiryState(StrEnum):
    """The state of an exemption or account on a date."""

    ACTIVE = "active"
    EXPIRING = "lapsing"
    """The entry still applies, but for at most ``WARNING_DAYS`` days."""
    EXPIRED = "lapsed"


def by_state(policy: Policy, today: str) -> Mapping[ExpiryState, list[Expiring]]:
    """The exemptions and accounts of ``policy`` by their state on ``today`` (``YYYY-MM-DD``)."""
    soon = (date.fromisoformat(today) + timedelta(days=WARNING_DAYS)).isoformat()
    entries: dict[ExpiryState, list[Expiring]] = {state: [] for state in ExpiryState}
    expiring: tuple[Expiring, ...] = (*policy.exemptions, *policy.accounts)
    for entry in expiring:
        entries[_state(entry, today, soon)].append(entry)
    return entries


def _state(entry: Expiring, today: str, soon: str) -> ExpiryState:
    if entry.until < today:
        return ExpiryState.EXPIRED
    return ExpiryState.EXPIRING if entry.until <= soon else ExpiryState.ACTIVE


def expiry_warnings(policy: Policy, today: str) -> list[str]:
    """A line for each exemption and account that has expired or expires within ``WARNING_DAYS`` days."""
    entries = by_state(policy, today)
    expired = [f"{_described(entry)} expired on {entry.until}" for entry in entries[ExpiryState.EXPIRED]]
    return expired + [f"{_described(entry)} expires on {entry.until}" for entry in entries[ExpiryState.EXPIRING]]


def _described(entry: Expiring) -> str:
    if isinstance(entry, Account):
        where = f" in {entry.namespace}" if entry.namespace else ""
        return f"the entry for account {entry.account}{where} ({entry.owner})"
    parts = [part for part in (entry.kind, entry.namespace, entry.name) if part]
    return f"the exemption from {entry.rule}{' for ' + ' '.join(parts) if parts else ''} ({entry.owner})"
