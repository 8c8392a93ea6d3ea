"""The strongest action that any finding about an object can get, without judging it."""

from typing import Any

import pytest

from webhook.policy.policy import Action, NamespacePolicy, Policy, PolicySubject, Profile, rule_ids, strongest_action

ALL_WARN = dict.fromkeys(set(rule_ids().values()), Action.WARN)
ALL_AUDIT = dict.fromkeys(set(rule_ids().values()), Action.AUDIT)
ONE = next(iter(ALL_WARN))
LABELLED = [NamespacePolicy(labels={"tier": "test"}, at_most=Action.WARN)]

CASES: dict[str, tuple[Policy, dict[str, Any], Action]] = {
    "default": (Policy(), {}, Action.DENY),
    "profile exact": (Policy(profile=Profile.EXACT), {}, Action.DENY),
    "atMost": (Policy(at_most=Action.WARN), {}, Action.WARN),
    "every rule is a warning": (Policy(actions=ALL_WARN), {}, Action.WARN),
    "every rule but one is a warning": (Policy(actions=ALL_WARN | {ONE: Action.DENY}), {}, Action.DENY),
    "one rule has the action of the profile": (
        Policy(actions={rule: action for rule, action in ALL_WARN.items() if rule != ONE}),
        {},
        Action.DENY,
    ),
    "unproven results are denied": (Policy(actions=ALL_WARN, unproven=Action.DENY), {}, Action.DENY),
    "audit holds for unproven results too": (Policy(actions=ALL_AUDIT, unproven=Action.DENY), {}, Action.AUDIT),
    "the VM is never live-migrated": (
        Policy(honour_eviction_strategy=True),
        {"eviction_strategy": "None"},
        Action.WARN,
    ),
    "the VM is live-migrated": (
        Policy(honour_eviction_strategy=True),
        {"eviction_strategy": "LiveMigrate"},
        Action.DENY,
    ),
    "its namespace has the labels": (Policy(namespaces=LABELLED), {"labels": {"tier": "test"}}, Action.WARN),
    "its namespace has other labels": (Policy(namespaces=LABELLED), {"labels": {}}, Action.DENY),
    "its labels are unknown": (Policy(namespaces=LABELLED), {}, Action.DENY),
    "the unknown labels may be those of a stricter entry": (
        Policy(at_most=Action.WARN, namespaces=[NamespacePolicy(labels={"a": "b"}, at_most=Action.DENY)]),
        {},
        Action.DENY,
    ),
}


@pytest.mark.parametrize(("policy", "subject", "strongest"), CASES.values(), ids=CASES)
def test_the_strongest_action_follows_from_the_policy_alone(
    policy: Policy, subject: dict[str, Any], strongest: Action
) -> None:
    """
    A request that no finding can deny never gets a 503 response for lateness.
    """
    assert strongest_action(policy, PolicySubject("VirtualMachine", "tenant", "web", **subject)) is strongest


@pytest.mark.parametrize("limit", [Action.DENY, Action.WARN, Action.AUDIT])
def test_the_key_hotplug_limits_requests_that_only_plug_volumes(limit: Action) -> None:
    """
    It has no effect on other requests.
    """
    subject = PolicySubject("VirtualMachine", "tenant", "web")

    assert strongest_action(Policy(hotplug=limit), subject, plugs=True) is limit
    assert strongest_action(Policy(hotplug=limit), subject) is Action.DENY
