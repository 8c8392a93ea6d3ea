"""The policy key ``atMost``: from audit to warn to deny."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.surfaces.admission.reviews import claim, decided, on_claim, review, vm
from webhook.policy.policy import Action, NamespacePolicy, Policy, Profile
from webhook.rules.register import RULES
from webhook.surfaces.admission.validate import Outcome

SINGLE = claim("single", "ReadWriteOnce")
PORTS = {"interfaces": [{"name": "default", "masquerade": {}, "ports": [{"port": 49152}]}]}
BROKEN = review("CREATE", vm(volumes=[on_claim("single"), on_claim("missing")], devices=PORTS))

policies = st.builds(
    Policy,
    profile=st.sampled_from(Profile),
    actions=st.dictionaries(st.sampled_from([rule.id for rule in RULES]), st.sampled_from(Action), max_size=4),
    unproven=st.sampled_from(Action),
)


def actions(outcome: Outcome) -> dict[tuple[str, str], Action]:
    return {decision.finding.identity: decision.action for decision in outcome.decisions}


def under_limit(policy: Policy, limit: Action) -> Outcome:
    return decided(BROKEN, SINGLE, policy=msgspec.structs.replace(policy, at_most=limit))


@given(policies)
@settings(max_examples=100, deadline=None)
def test_each_step_has_the_same_findings_and_weaker_actions(policy: Policy) -> None:
    """
    `atMost: warn` turns denials into warnings, and `audit` only counts findings. Weaker actions stay.
    """
    denied, warned, audited = (
        actions(under_limit(policy, limit)) for limit in (Action.DENY, Action.WARN, Action.AUDIT)
    )

    assert warned == {identity: action.at_most(Action.WARN) for identity, action in denied.items()}
    assert audited == {identity: action.at_most(Action.AUDIT) for identity, action in denied.items()}
    assert under_limit(policy, Action.WARN).allowed
    assert under_limit(policy, Action.OFF).decisions == ()


@pytest.mark.parametrize(
    ("action", "limit", "weaker"),
    [
        (Action.DENY, Action.DENY, Action.DENY),
        (Action.DENY, Action.WARN, Action.WARN),
        (Action.AUDIT, Action.WARN, Action.AUDIT),
        (Action.OFF, Action.DENY, Action.OFF),
        (Action.WARN, Action.OFF, Action.OFF),
    ],
)
def test_a_limit_gives_the_weaker_of_two_actions(action: Action, limit: Action, weaker: Action) -> None:
    """
    A limit never makes an action stricter.
    """
    assert action.at_most(limit) is weaker


def test_a_namespace_may_have_another_limit() -> None:
    """
    One namespace can already deny while the others still warn.
    """
    policy = Policy(at_most=Action.WARN, namespaces=[NamespacePolicy(names=["tenant"], at_most=Action.DENY)])
    behind = Policy(namespaces=[NamespacePolicy(names=["tenant"], at_most=Action.WARN)])

    assert not decided(BROKEN, SINGLE, policy=policy).allowed
    assert decided(BROKEN, SINGLE, policy=behind).allowed
