"""What is done about a finding: profiles, the policy's own words, exemptions, and the ratchet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from webhook.defaults.default import DefaultOptions
from webhook.judging.finding import Finding, Judgement
from webhook.kubevirt.releases import KNOWN, NEWEST, only
from webhook.policy.policy import (
    Action,
    Decision,
    Exemption,
    Lowered,
    Policy,
    PolicySubject,
    Profile,
    action_of,
    decide,
    decide_all,
    ratchet,
    would_deny,
)
from webhook.rules.register import RULES
from webhook.rules.rule import Basis, Severity

BY_ID = {rule.id: rule for rule in RULES}
CLAIM, PORTS, DRAIN = BY_ID["LM201"], BY_ID["LM103"], BY_ID["LM501"]
TIMEOUT = BY_ID["LM605"]
SUBJECT = PolicySubject("VirtualMachine", "tenant", "web")
TODAY = "2026-01-15"


def finding(rule: str = "LM201", basis: Basis = Basis.KUBEVIRT, subject: str = "", **more: object) -> Finding:
    made = Finding(BY_ID[rule], basis, ("spec",), "message", "remedy", subject, KNOWN)
    return replace(made, **more)  # type: ignore[arg-type]


def exemption(**fields: str) -> Exemption:
    return Exemption(**({"rule": "LM201", "reason": "old", "owner": "storage", "until": "2026-01-31"} | fields))


def test_the_rules_used_here_are_what_they_are_taken_for() -> None:
    """
    One that KubeVirt refuses, one of the fixed list alone, advice that is a warning, and advice that is an error.
    """
    assert CLAIM.kubevirt & only(NEWEST)
    assert (PORTS.baseline, PORTS.kubevirt) == (True, 0)
    assert (DRAIN.baseline, DRAIN.kubevirt, DRAIN.severity) == (False, 0, Severity.WARNING)
    assert (TIMEOUT.baseline, TIMEOUT.kubevirt, TIMEOUT.severity) == (False, 0, Severity.ERROR)


@pytest.mark.parametrize(
    ("rule", "basis", "strict", "exact"),
    [
        ("LM201", Basis.KUBEVIRT, Action.DENY, Action.DENY),
        ("LM103", Basis.BASELINE, Action.DENY, Action.WARN),
        ("LM203", Basis.BASELINE, Action.DENY, Action.WARN),
        ("LM203", Basis.KUBEVIRT, Action.DENY, Action.DENY),
        ("LM501", Basis.ADVICE, Action.WARN, Action.WARN),
        ("LM605", Basis.ADVICE, Action.DENY, Action.WARN),
    ],
)
def test_a_profile_decides_by_what_a_finding_rests_on(rule: str, basis: Basis, strict: Action, exact: Action) -> None:
    """
    Both deny what KubeVirt refuses; strict also the fixed list and settings that cannot work; the rest is a warning.
    """
    found = finding(rule, basis)

    assert action_of(found, Policy()) is strict
    assert action_of(found, Policy(profile=Profile.EXACT)) is exact


@pytest.mark.parametrize("spelling", ["LM201", "claim-not-shared"])
@pytest.mark.parametrize("action", list(Action))
def test_the_policys_word_outranks_the_profile(spelling: str, action: Action) -> None:
    """
    An action for a rule holds by its id and by its name, whatever the finding rests on.
    """
    policy = Policy(actions={spelling: action})

    assert action_of(finding(), policy) is action
    assert action_of(finding("LM301"), policy) is Action.DENY


@pytest.mark.parametrize(
    ("unproven", "chosen", "expected"),
    [
        (None, None, Action.WARN),
        (Action.DENY, None, Action.DENY),
        (Action.AUDIT, None, Action.AUDIT),
        (Action.OFF, None, Action.OFF),
        (None, Action.DENY, Action.WARN),
        (Action.DENY, Action.WARN, Action.DENY),
        (Action.DENY, Action.AUDIT, Action.AUDIT),
        (Action.DENY, Action.OFF, Action.OFF),
    ],
)
def test_what_is_undetermined_is_denied_only_on_request(
    unproven: Action | None, chosen: Action | None, expected: Action
) -> None:
    """
    No profile denies what cannot be known; ``unproven`` decides, and a rule that is audited or off stays so.
    """
    policy = Policy(unproven=unproven or Policy().unproven, actions={} if chosen is None else {"LM201": chosen})

    assert action_of(finding(undetermined=True), policy) is expected


def test_what_is_off_is_left_out() -> None:
    """
    Decisions keep the order of the findings; those of a rule that is off are not among them.
    """
    judgement = Judgement((finding("LM301"), finding("LM201"), finding("LM501", Basis.ADVICE)))

    decisions = decide_all(judgement, Policy(actions={"LM201": Action.OFF}), SUBJECT, TODAY)

    assert [(each.finding.rule.id, each.action) for each in decisions] == [
        ("LM301", Action.DENY),
        ("LM501", Action.WARN),
    ]


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({}, True),
        ({"rule": "claim-not-shared"}, True),
        ({"rule": "LM301"}, False),
        ({"namespace": "tenant"}, True),
        ({"namespace": "other"}, False),
        ({"name": "web"}, True),
        ({"name": "web2"}, False),
        ({"kind": "VirtualMachine"}, True),
        ({"kind": "VirtualMachineInstance"}, False),
        ({"namespace": "tenant", "name": "other"}, False),
        ({"until": TODAY}, True),
        ({"until": "2026-01-14"}, False),
        ({"until": "2025-12-31"}, False),
    ],
)
def test_an_exemption_covers_what_it_names_until_its_day_is_over(fields: dict[str, str], holds: bool) -> None:
    """
    Rule, namespace, name and kind must fit as far as they are written; the last day counts.
    """
    policy = Policy(exemptions=[exemption(**fields)])

    decision = decide(finding(), policy, SUBJECT, TODAY)

    assert decision.action is (Action.AUDIT if holds else Action.DENY)
    assert decision.exemption == (policy.exemptions[0] if holds else None)


def test_an_exemption_also_covers_what_cannot_be_known() -> None:
    """
    Whoever answers for a claim answers for it before it is there, too.
    """
    policy = Policy(unproven=Action.DENY, exemptions=[exemption()])

    assert decide(finding(undetermined=True), policy, SUBJECT, TODAY).action is Action.AUDIT


def test_an_exemption_does_not_wake_a_rule_that_is_off() -> None:
    """
    What nobody wants to hear of is not listed because somebody answers for it.
    """
    policy = Policy(actions={"LM201": Action.OFF}, exemptions=[exemption()])

    assert decide(finding(), policy, SUBJECT, TODAY) == Decision(finding(), Action.OFF)


def test_the_first_exemption_that_fits_is_named() -> None:
    """
    One that has lapsed stands in no later one's way.
    """
    lapsed, holding = exemption(until="2020-01-01"), exemption(owner="backup")

    assert decide(finding(), Policy(exemptions=[lapsed, holding]), SUBJECT, TODAY).exemption is holding


@pytest.mark.parametrize(
    ("rule", "basis", "action", "expected"),
    [
        ("LM201", Basis.KUBEVIRT, Action.WARN, True),
        ("LM201", Basis.KUBEVIRT, Action.AUDIT, True),
        ("LM201", Basis.KUBEVIRT, Action.DENY, False),
        ("LM103", Basis.BASELINE, Action.WARN, True),
        ("LM501", Basis.ADVICE, Action.WARN, False),
    ],
)
def test_a_step_to_deny_can_be_foretold(rule: str, basis: Basis, action: Action, expected: bool) -> None:
    """
    What passes now and is denied by the built-in strict policy is counted, so that nobody is surprised by the step.
    """
    assert would_deny(Decision(finding(rule, basis), action)) is expected


FINDINGS = st.builds(
    finding,
    rule=st.sampled_from(("LM201", "LM301", "LM302")),
    subject=st.sampled_from(("a", "b")),
    harm=st.integers(0, 2),
    path=st.sampled_from((("spec", 0), ("spec", 1))),
    message=st.sampled_from(("x", "y")),
)
LISTS = st.lists(FINDINGS, max_size=5)


def denied(findings: list[Finding]) -> tuple[Decision, ...]:
    return tuple(Decision(each, Action.DENY) for each in findings)


@given(LISTS)
def test_what_was_admitted_may_stay(findings: list[Finding]) -> None:
    """
    The same findings again are warnings, in any order, at any place and in any words.
    """
    elsewhere = [replace(each, path=("spec", 9), message="other words") for each in reversed(findings)]

    assert {each.action for each in ratchet(denied(elsewhere), denied(findings))} <= {Action.WARN}


@given(LISTS, LISTS)
def test_only_new_harm_is_denied(old: list[Finding], new: list[Finding]) -> None:
    """
    Denied is exactly what the old object did not have, or had less of; everything else is kept as it is.
    """
    before: dict[tuple[str, str], int] = {}
    for each in old:
        before[each.identity] = max(each.harm, before.get(each.identity, 0))

    after = ratchet(denied(new), denied(old))

    assert [each.finding for each in after] == new
    for decision in after:
        finding = decision.finding
        known = finding.identity in before and before[finding.identity] >= finding.harm
        assert decision.action is (Action.WARN if known else Action.DENY)


@given(LISTS)
def test_the_ratchet_only_touches_denials(findings: list[Finding]) -> None:
    """
    Warnings and audits stay what they are.
    """
    decisions = tuple(Decision(each, Action.AUDIT if index % 2 else Action.WARN) for index, each in enumerate(findings))

    assert ratchet(decisions, denied(findings)) == decisions


@pytest.mark.parametrize("action", [Action.WARN, Action.AUDIT])
def test_what_was_only_a_warning_is_new_harm_once_it_is_denied(action: Action) -> None:
    """
    Unproven before and proven now, or let off before and not now: the ratchet has nothing to hold; an exempt one it has.
    """
    exempt = Exemption("LM201", "tested", "storage", "2026-12-31")

    (before,) = ratchet(denied([finding()]), [Decision(finding(), action)])
    (exempted,) = ratchet(denied([finding()]), [Decision(finding(), Action.AUDIT, exempt)])

    assert (before.action, exempted.action) == (Action.DENY, Action.WARN)


def test_another_claim_behind_the_same_volume_is_new_harm() -> None:
    """
    The identity holds volume and claim: swapping the claim is not hidden by the volume's name.
    """
    (decision,) = ratchet(
        denied([finding(subject="volume os claim b")]), denied([finding(subject="volume os claim a")])
    )

    assert decision.action is Action.DENY


def test_only_an_unreadable_object_lowers_a_denial_to_what_unreadable_says() -> None:
    """
    ``unreadable`` has no say in findings about objects that can be read.
    """
    policy = Policy(unreadable=Action.AUDIT)

    assert action_of(finding(), policy) is Action.DENY
    assert action_of(finding(undetermined=True, unreadable=True), policy) is Action.AUDIT


def test_the_fixed_list_is_denied_whatever_its_severity() -> None:
    """
    Profile strict denies a rule of the fixed list also where it is only a warning.
    """
    listed = finding("LM501", Basis.BASELINE)

    assert listed.rule.severity is Severity.WARNING
    assert action_of(listed, Policy()) is Action.DENY


@pytest.mark.parametrize("action", [Action.WARN, Action.AUDIT])
@pytest.mark.parametrize("strategy", ["None", "External"])
def test_an_eviction_strategy_raises_no_action(action: Action, strategy: str) -> None:
    """
    Honouring the evictionStrategy lowers a denial to a warning and leaves weaker actions alone.
    """
    policy = Policy(actions={"LM201": action}, honour_eviction_strategy=True)

    assert decide(finding(), policy, replace(SUBJECT, eviction_strategy=strategy), TODAY).action is action


def test_what_is_filled_in_is_what_the_policy_says() -> None:
    """
    The three keys about defaults reach the defaults as they are written.
    """
    policy = Policy(
        default_eviction_strategy="LiveMigrate",
        default_migration_settings=False,
        migration_settings={"allowPostCopy": True},
    )

    assert policy.default_options == DefaultOptions("LiveMigrate", False, {"allowPostCopy": True})
    assert Policy().default_options == DefaultOptions(None, True, {})


def test_the_reasons_for_a_lowered_denial_keep_their_names() -> None:
    """
    Logs, audit annotations and metrics carry these words, and dashboards select by them.
    """
    assert [str(each) for each in Lowered] == ["kubevirt", "hyperconverged", "volume-migration", "account"]
    assert Decision(finding(), Action.WARN) == Decision(finding(), Action.WARN, None, None, "")
