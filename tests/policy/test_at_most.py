"""One word for the way from audit over warnings to refusals."""

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
BROKEN = review("CREATE", vm(volumes=[on_claim("single"), on_claim("nobody-knows")], devices=PORTS))

policies = st.builds(
    Policy,
    profile=st.sampled_from(Profile),
    actions=st.dictionaries(st.sampled_from([rule.id for rule in RULES]), st.sampled_from(Action), max_size=4),
    unproven=st.sampled_from(Action),
)


def actions(outcome: Outcome) -> dict[tuple[str, str], Action]:
    return {each.finding.identity: each.action for each in outcome.decisions}


def with_most(policy: Policy, most: Action) -> Outcome:
    return decided(BROKEN, SINGLE, policy=msgspec.structs.replace(policy, at_most=most))


@given(policies)
@settings(max_examples=100, deadline=None)
def test_each_step_finds_the_same_and_lets_more_pass(policy: Policy) -> None:
    """
    What `deny` refuses, `warn` warns of and `audit` counts; what a policy does not deny stays as it is.
    """
    denied, warned, audited = (actions(with_most(policy, most)) for most in (Action.DENY, Action.WARN, Action.AUDIT))

    assert warned == {each: action.at_most(Action.WARN) for each, action in denied.items()}
    assert audited == {each: action.at_most(Action.AUDIT) for each, action in denied.items()}
    assert with_most(policy, Action.WARN).allowed
    assert with_most(policy, Action.OFF).decisions == ()


@pytest.mark.parametrize(
    ("action", "most", "done"),
    [
        (Action.DENY, Action.DENY, Action.DENY),
        (Action.DENY, Action.WARN, Action.WARN),
        (Action.AUDIT, Action.WARN, Action.AUDIT),
        (Action.OFF, Action.DENY, Action.OFF),
        (Action.WARN, Action.OFF, Action.OFF),
    ],
)
def test_the_weaker_of_two_is_done(action: Action, most: Action, done: Action) -> None:
    """
    Nothing becomes stricter by it.
    """
    assert action.at_most(most) is done


def test_a_namespace_may_be_a_step_ahead() -> None:
    """
    Some refuse already while the others are warned.
    """
    policy = Policy(at_most=Action.WARN, namespaces=[NamespacePolicy(names=["tenant"], at_most=Action.DENY)])
    behind = Policy(namespaces=[NamespacePolicy(names=["tenant"], at_most=Action.WARN)])

    assert not decided(BROKEN, SINGLE, policy=policy).allowed
    assert decided(BROKEN, SINGLE, policy=behind).allowed
