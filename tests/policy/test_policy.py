"""The enforcement action for a finding: profiles, actions of the policy, exemptions, and updates."""

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
    would_deny,
)
from webhook.policy.ratchet import ratchet
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


def test_the_rules_in_these_tests_have_different_bases() -> None:
    """
    LM201 blocks migration, LM103 is only in the fixed list, LM501 and LM605 are advice: a warning and an error.
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
def test_a_profile_decides_by_the_basis_of_a_finding(rule: str, basis: Basis, strict: Action, exact: Action) -> None:
    """
    Both deny what blocks migration. Strict also denies the fixed list and settings that cannot work.
    """
    judged = finding(rule, basis)

    assert action_of(judged, Policy()) is strict
    assert action_of(judged, Policy(profile=Profile.EXACT)) is exact


@pytest.mark.parametrize("spelling", ["LM201", "claim-not-shared"])
@pytest.mark.parametrize("action", list(Action))
def test_an_action_of_the_policy_overrides_the_profile(spelling: str, action: Action) -> None:
    """
    The policy names the rule by id or by name.
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
def test_an_undetermined_result_is_denied_only_by_unproven(
    unproven: Action | None, chosen: Action | None, expected: Action
) -> None:
    """
    No profile denies an undetermined result: ``unproven`` decides. A rule with audit or off keeps that action.
    """
    policy = Policy(unproven=unproven or Policy().unproven, actions={} if chosen is None else {"LM201": chosen})

    assert action_of(finding(undetermined=True), policy) is expected


def test_a_finding_that_is_off_is_left_out() -> None:
    """
    The other decisions keep the order of the findings.
    """
    judgement = Judgement((finding("LM301"), finding("LM201"), finding("LM501", Basis.ADVICE)))

    decisions = decide_all(judgement, Policy(actions={"LM201": Action.OFF}), SUBJECT, TODAY)

    assert [(decision.finding.rule.id, decision.action) for decision in decisions] == [
        ("LM301", Action.DENY),
        ("LM501", Action.WARN),
    ]


@pytest.mark.parametrize(
    ("fields", "applies"),
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
def test_an_exemption_applies_to_what_it_names_through_its_last_day(fields: dict[str, str], applies: bool) -> None:
    """
    Rule, namespace, name and kind must match where the exemption has them.
    """
    policy = Policy(exemptions=[exemption(**fields)])

    decision = decide(finding(), policy, SUBJECT, TODAY, policy.exemptions)

    assert decision.action is (Action.AUDIT if applies else Action.DENY)
    assert decision.exemption == (policy.exemptions[0] if applies else None)


def test_an_exemption_also_applies_to_an_undetermined_result() -> None:
    """
    So it applies before the claim exists.
    """
    policy = Policy(unproven=Action.DENY, exemptions=[exemption()])

    assert decide(finding(undetermined=True), policy, SUBJECT, TODAY, policy.exemptions).action is Action.AUDIT


def test_an_exemption_does_not_enable_a_rule_that_is_off() -> None:
    """
    A finding of that rule is not listed, exempt or not.
    """
    policy = Policy(actions={"LM201": Action.OFF}, exemptions=[exemption()])

    assert decide(finding(), policy, SUBJECT, TODAY, policy.exemptions) == Decision(finding(), Action.OFF)


def test_the_first_matching_exemption_is_recorded() -> None:
    """
    An expired exemption is skipped.
    """
    expired, active = exemption(until="2020-01-01"), exemption(owner="backup")

    assert decide(finding(), Policy(), SUBJECT, TODAY, [expired, active]).exemption is active


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
def test_findings_that_a_step_to_deny_would_deny_are_known(
    rule: str, basis: Basis, action: Action, expected: bool
) -> None:
    """
    A finding that passes now counts if the built-in strict policy denies it.
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
    return tuple(Decision(finding, Action.DENY) for finding in findings)


@given(LISTS)
def test_an_admitted_finding_may_stay(findings: list[Finding]) -> None:
    """
    The same findings again are warnings, in any order, at any path and with any message.
    """
    moved = [replace(finding, path=("spec", 9), message="other words") for finding in reversed(findings)]

    assert {decision.action for decision in ratchet(denied(moved), denied(findings))} <= {Action.WARN}


@given(LISTS, LISTS)
def test_only_a_new_finding_is_denied(old: list[Finding], new: list[Finding]) -> None:
    """
    A finding is new if the old object does not have it, or has a smaller amount.
    """
    before: dict[tuple[str, str], int] = {}
    for known in old:
        before[known.identity] = max(known.harm, before.get(known.identity, 0))

    after = ratchet(denied(new), denied(old))

    assert [decision.finding for decision in after] == new
    for decision in after:
        finding = decision.finding
        is_known = finding.identity in before and before[finding.identity] >= finding.harm
        assert decision.action is (Action.WARN if is_known else Action.DENY)


@given(LISTS)
def test_an_update_lowers_only_denials(findings: list[Finding]) -> None:
    """
    Warnings and audits stay.
    """
    decisions = tuple(
        Decision(finding, Action.AUDIT if index % 2 else Action.WARN) for index, finding in enumerate(findings)
    )

    assert ratchet(decisions, denied(findings)) == decisions


@pytest.mark.parametrize("action", [Action.WARN, Action.AUDIT])
def test_a_former_warning_counts_as_new_once_it_is_denied(action: Action) -> None:
    """
    A result that was unproven before and is proven now is denied. A finding that was exempt before is a warning.
    """
    exempt = Exemption("LM201", "tested", "storage", "2026-12-31")

    (before,) = ratchet(denied([finding()]), [Decision(finding(), action)])
    (exempted,) = ratchet(denied([finding()]), [Decision(finding(), Action.AUDIT, exempt)])

    assert (before.action, exempted.action) == (Action.DENY, Action.WARN)


def test_another_claim_behind_the_same_volume_is_a_new_finding() -> None:
    """
    Volume and claim identify the finding.
    """
    (decision,) = ratchet(
        denied([finding(subject="volume os claim b")]), denied([finding(subject="volume os claim a")])
    )

    assert decision.action is Action.DENY


def test_a_known_finding_is_not_announced_as_a_denial() -> None:
    """
    With ``atMost: warn``, the warning about a new finding says that the finding would be denied.
    """
    announced = Decision(finding(), Action.WARN, denied_when_enforced=True)

    assert ratchet([announced], []) == (announced,)
    assert ratchet([announced], [announced]) == (Decision(finding(), Action.WARN),)


@pytest.mark.parametrize("before", ["renamed", "original"])
def test_a_renamed_subject_is_known_by_both_names(before: str) -> None:
    """
    KubeVirt renames some subjects in an update.
    """
    (decision,) = ratchet(
        denied([finding(subject="renamed")]), denied([finding(subject=before)]), {"renamed": "original"}
    )

    assert decision.action is Action.WARN


def test_the_key_unreadable_limits_only_results_that_depend_on_unreadable_objects() -> None:
    """
    ``unreadable`` has no effect on findings about readable objects.
    """
    policy = Policy(unreadable=Action.AUDIT)

    assert action_of(finding(), policy) is Action.DENY
    assert action_of(finding(undetermined=True, unreadable=True), policy) is Action.AUDIT


def test_the_fixed_list_is_denied_whatever_its_severity() -> None:
    """
    Profile strict denies a rule of the fixed list even if its severity is warning.
    """
    listed = finding("LM501", Basis.BASELINE)

    assert listed.rule.severity is Severity.WARNING
    assert action_of(listed, Policy()) is Action.DENY


@pytest.mark.parametrize("action", [Action.WARN, Action.AUDIT])
@pytest.mark.parametrize("strategy", ["None", "External"])
def test_an_eviction_strategy_raises_no_action(action: Action, strategy: str) -> None:
    """
    ``honourEvictionStrategy`` lowers a denial to a warning. Weaker actions stay.
    """
    policy = Policy(actions={"LM201": action}, honour_eviction_strategy=True)

    assert decide(finding(), policy, replace(SUBJECT, eviction_strategy=strategy), TODAY, ()).action is action


def test_the_policy_sets_the_defaults_to_fill_in() -> None:
    """
    The three keys about defaults are passed on unchanged.
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
    Logs, audit annotations, metrics and dashboards use these words.
    """
    assert [str(reason) for reason in Lowered] == ["kubevirt", "hyperconverged", "volume-migration", "account"]
    assert Decision(finding(), Action.WARN) == Decision(finding(), Action.WARN, None, None, "")


NAMES = st.sampled_from([None, "a", "b"])
ENTRIES = st.builds(
    Exemption,
    rule=st.sampled_from(["LM201", "claim-not-shared", "LM101"]),
    reason=st.just("r"),
    owner=st.sampled_from(["x", "y"]),
    until=st.sampled_from(["2001-01-01", "2999-01-01"]),
    namespace=NAMES,
    name=NAMES,
    kind=st.sampled_from([None, "VirtualMachine", "KubeVirt"]),
)


@given(st.lists(ENTRIES, max_size=6), st.sampled_from("abc"), st.sampled_from("abc"))
def test_the_first_exemption_that_covers_a_finding_applies(entries: list[Exemption], namespace: str, name: str) -> None:
    """
    The exemptions are looked up by namespace and name, with the same result as a search from the first to the last.
    """
    policy, subject = Policy(exemptions=entries), replace(SUBJECT, namespace=namespace, name=name)

    (decision,) = decide_all(Judgement((finding(),)), policy, subject, TODAY)

    assert decision.exemption == next((one for one in entries if one.covers(finding(), subject, TODAY)), None)
