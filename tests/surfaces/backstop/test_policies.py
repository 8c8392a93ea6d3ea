"""The policies of the backstop as objects. tests/apiserver tests how an API server evaluates them."""

import pytest

from webhook.rules.register import BY_ID, RULES
from webhook.rules.rule import About
from webhook.surfaces.admission.configurations import rules_of
from webhook.surfaces.admission.hooks import Hook
from webhook.surfaces.backstop.expressions import literal, template
from webhook.surfaces.backstop.policies import hooks_with_policy, name_of, policies

NEED_OTHER_OBJECTS = {"LM201"}
"""Rules of the fixed list that look at claims."""


def test_every_rule_of_the_fixed_list_that_needs_only_the_object_is_in_cel() -> None:
    """
    So an outage of the webhook is no way around the list.
    """
    listed = {rule.id for rule in RULES if rule.baseline}

    assert {rule.id for rule in RULES if rule.baseline and rule.cel} == listed - NEED_OTHER_OBJECTS


def test_rules_in_cel_are_about_what_the_policies_see() -> None:
    """
    A VMI, wherever it is carried, or a KubeVirt CR.
    """
    assert {rule.about for rule in RULES if rule.cel} == {About.VMI, About.SETTINGS}


@pytest.mark.parametrize("hook", [hook for hook, _ in hooks_with_policy()], ids=lambda hook: hook.name)
def test_a_policy_sees_what_its_webhook_sees(hook: Hook) -> None:
    """
    The same resources, operations and conditions: what is never blocked by the one is never blocked by the other.
    """
    (policy,) = (candidate for candidate in policies() if candidate["metadata"]["name"] == name_of(hook))

    conditions = [
        (matchcondition["name"], matchcondition["expression"]) for matchcondition in policy["spec"]["matchConditions"]
    ]

    assert policy["spec"]["matchConstraints"]["resourceRules"] == rules_of(hook)
    assert conditions == [(condition.name, condition.expression) for condition in hook.conditions]
    assert policy["spec"]["failurePolicy"] == "Ignore"


def test_every_kind_with_rules_in_cel_has_a_policy() -> None:
    """
    VMs, VMIs, replica sets, pools and the KubeVirt CR.
    """
    kinds = {kind for _, kind in hooks_with_policy()}

    assert kinds == {
        "VirtualMachine",
        "VirtualMachineInstance",
        "VirtualMachineInstanceReplicaSet",
        "VirtualMachinePool",
        "KubeVirt",
    }


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "'plain'"),
        ("gpu {it.name}", "'gpu ' + string(it.name)"),
        ("{it} and {it}", "string(it) + ' and ' + string(it)"),
        ("it's \\n", "'it\\'s \\\\n'"),
    ],
)
def test_a_template_is_a_concatenation(text: str, made: str) -> None:
    """
    Text is quoted, expressions in braces become text.
    """
    assert template(text) == made


def test_a_remedy_with_braces_is_quoted_whole() -> None:
    """
    Remedies show YAML, and are no templates.
    """
    assert "`masquerade: {}`" in literal(BY_ID["LM101"].remediation)
