"""Accounts of the policy file: each is one authenticated user, with a last day, a reason and an owner."""

import jsonschema_rs
import pytest
import yaml

from webhook.errors import Misconfigured
from webhook.manifests.policy_file import parse_policy
from webhook.policy.exemptions import ExpiryState, by_state, expiry_warnings
from webhook.policy.policy import Account, Action, Policy
from webhook.report.policy_schema import schema

BACKUP = "system:serviceaccount:backup:velero"
TODAY = "2026-01-01"


def account(name: str = BACKUP, until: str = "2026-06-30", at_most: Action = Action.WARN, **more: str) -> Account:
    return Account(name, "restores old VMs", "backup team", until, at_most, **more)


@pytest.mark.parametrize(
    ("entry", "user", "namespace", "expected"),
    [
        (account(), BACKUP, "tenant", True),
        (account(), BACKUP, "", True),
        (account(), f"{BACKUP}2", "tenant", False),
        (account(), BACKUP.upper(), "tenant", False),
        (account(), "", "tenant", False),
        (account(until=TODAY), BACKUP, "tenant", True),
        (account(until="2025-12-31"), BACKUP, "tenant", False),
        (account(namespace="tenant"), BACKUP, "tenant", True),
        (account(namespace="tenant"), BACKUP, "other", False),
        (account(namespace="tenant"), BACKUP, "", False),
    ],
)
def test_an_entry_applies_to_one_user_through_its_last_day(
    entry: Account, user: str, namespace: str, expected: bool
) -> None:
    """
    The username is compared as a whole. A namespace narrows the entry.
    """
    assert entry.covers(user, namespace, TODAY) is expected


def test_the_mildest_entry_applies_in_either_order() -> None:
    """
    The order of entries does not matter.
    """
    warn, audit, over = account(), account(at_most=Action.AUDIT), account(until="2025-01-01", at_most=Action.AUDIT)

    assert Policy(accounts=[over, warn, audit]).account_of(BACKUP, "", TODAY) is audit
    assert Policy(accounts=[audit, warn, over]).account_of(BACKUP, "", TODAY) is audit
    assert Policy(accounts=[over]).account_of(BACKUP, "", TODAY) is None


def written(**changes: str) -> bytes:
    entry = {"account": BACKUP, "reason": "restores", "owner": "backup", "until": "2026-06-30", **changes}
    return yaml.safe_dump({"accounts": [entry]}).encode()


def test_an_entry_is_read_with_warn_as_its_action() -> None:
    """
    ``atMost`` is optional.
    """
    assert parse_policy(written(), "policy.yaml").accounts == [
        Account(BACKUP, "restores", "backup", "2026-06-30", Action.WARN)
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": ""}, "'' is not a username. Patterns are not supported."),
        ({"account": "*"}, "'*' is not a username. Patterns are not supported."),
        ({"account": "system:serviceaccount:backup:*"}, "is not a username. Patterns are not supported."),
        ({"account": " jane"}, "' jane' is not a username. Patterns are not supported."),
        ({"account": "system:masters"}, "'system:masters' is a group. Name one account."),
        ({"account": "system:authenticated"}, "is a group"),
        ({"account": "system:serviceaccounts"}, "is a group"),
        ({"account": "system:serviceaccounts:backup"}, "is a group"),
        ({"account": "system:anonymous"}, "is the username of all unauthenticated requests. Name one account."),
        ({"account": "system:serviceaccount:velero"}, "Use system:serviceaccount:NAMESPACE:NAME."),
        ({"account": "system:serviceaccount:a:b:c"}, "Use system:serviceaccount:NAMESPACE:NAME."),
        ({"atMost": "deny"}, "accounts[0].atMost: invalid value 'deny', expected warn or audit"),
        ({"atMost": "off"}, "accounts[0].atMost: invalid value 'off', expected warn or audit"),
        ({"until": "2026-02-30"}, "accounts[0].until: '2026-02-30' is not a date"),
        ({"until": "2026-1-1"}, "accounts[0].until: '2026-1-1' is not a date"),
        ({"reason": " "}, "accounts[0].reason: must not be empty"),
        ({"owner": ""}, "accounts[0].owner: must not be empty"),
    ],
)
def test_an_entry_that_does_not_name_one_account_is_invalid(changes: dict[str, str], message: str) -> None:
    """
    Patterns, groups and the anonymous user are invalid, and so is every action but warn and audit.
    """
    with pytest.raises(Misconfigured) as caught:
        parse_policy(written(**changes), "policy.yaml")

    assert message in caught.value.message


@pytest.mark.parametrize("name", [BACKUP, "jane", "jane@example.org", "oidc:jane", "system:admin"])
def test_a_username_is_accepted_by_reader_and_schema(name: str) -> None:
    """
    An authenticator may give a user any of these names.
    """
    assert parse_policy(written(account=name), "policy.yaml").accounts[0].account == name
    assert jsonschema_rs.Draft7Validator(schema()).is_valid(yaml.safe_load(written(account=name)))


@pytest.mark.parametrize("changes", [{"account": "*"}, {"account": ""}, {"atMost": "deny"}, {"reason": " "}])
def test_the_schema_rejects_patterns_and_other_actions(changes: dict[str, str]) -> None:
    """
    An editor marks the same faults as the server.
    """
    assert not jsonschema_rs.Draft7Validator(schema()).is_valid(yaml.safe_load(written(**changes)))


def test_an_entry_is_announced_like_an_exemption() -> None:
    """
    Entries are counted by state. A line names each that has expired or expires within fourteen days.
    """
    policy = Policy(accounts=[account(until="2025-12-31"), account(until="2026-01-15", namespace="tenant"), account()])

    entries = by_state(policy, TODAY)

    assert [len(entries[state]) for state in (ExpiryState.ACTIVE, ExpiryState.EXPIRING, ExpiryState.EXPIRED)] == [
        1,
        1,
        1,
    ]
    assert expiry_warnings(policy, TODAY) == [
        f"the entry for account {BACKUP} (backup team) expired on 2025-12-31",
        f"the entry for account {BACKUP} in tenant (backup team) expires on 2026-01-15",
    ]
