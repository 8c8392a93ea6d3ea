"""certs.drift: changes of webhook configurations are logged."""

import logging
from collections.abc import Mapping

import pytest

from certs.cluster import Configuration
from certs.drift import Drift
from tests.certs.world import SETTINGS, VALIDATING, World

HOOK = {"failurePolicy": "Fail", "rules": ["pods"], "timeoutSeconds": 5}
BOTH = {"a.example": HOOK, "b.example": HOOK}


def seen(webhooks: Mapping[str, Mapping[str, object]] = BOTH, bundle: bytes = b"", by: str = "helm") -> Configuration:
    return Configuration(VALIDATING, dict.fromkeys(webhooks, bundle), "1", "1", webhooks, by)


def told(caplog: pytest.LogCaptureFixture, *looks: Configuration | None) -> list[str]:
    """The log lines for these states, without the name of the configuration."""
    drift = Drift()
    with caplog.at_level(logging.INFO, "certs"):
        for look in looks:
            drift.observe(VALIDATING, look)
    return [record.getMessage().removeprefix(f"{VALIDATING} ") for record in caplog.records]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"a.example": HOOK}, ["webhook b.example was removed"]),
        ({}, ["webhook a.example was removed; webhook b.example was removed"]),
        (BOTH | {"c.example": HOOK}, ["webhook c.example was added"]),
        (
            BOTH | {"b.example": HOOK | {"failurePolicy": "Ignore", "rules": []}},
            ["webhook b.example has changes in failurePolicy, rules"],
        ),
        (
            {"a.example": HOOK | {"namespaceSelector": {"matchLabels": {"none": "such"}}}},
            ["webhook a.example has changes in namespaceSelector; webhook b.example was removed"],
        ),
        (BOTH, []),
    ],
)
def test_a_change_is_logged_once_with_its_writer(
    caplog: pytest.LogCaptureFixture, after: Mapping[str, Mapping[str, object]], said: list[str]
) -> None:
    """
    Webhook by webhook and field by field.
    """
    now = seen(after, by="kubectl-edit")

    assert told(caplog, seen(), now, now) == [f"was changed by kubectl-edit: {line}" for line in said]


def test_a_change_of_the_bundle_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    The rotator itself writes and repairs the bundle.
    """
    assert told(caplog, seen(bundle=b"one"), seen(bundle=b"other")) == []


def test_deletion_and_recreation_of_a_configuration_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    A missing configuration is logged once. A new one is compared with the last known one.
    """
    weaker = seen({"a.example": HOOK}, by="kubectl-create")

    assert told(caplog, None, None, seen(), None, None, weaker) == [
        "does not exist: API servers do not call its webhooks until it is applied again",
        "exists again, written by helm",
        "does not exist: API servers do not call its webhooks until it is applied again",
        "exists again, written by kubectl-create",
        "was changed by kubectl-create: webhook b.example was removed",
    ]


def test_a_rotator_observes_all_its_configurations(caplog: pytest.LogCaptureFixture) -> None:
    """
    At each check, and the rotator continues.
    """
    world = World().healthy()
    del world.cluster.bundles[VALIDATING]

    with caplog.at_level(logging.WARNING, "certs"):
        world.work()

    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [str(VALIDATING)]
    assert VALIDATING in SETTINGS.configurations
