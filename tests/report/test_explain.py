"""The description of a rule."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.report.reports import rule
from webhook.kubevirt.releases import (
    KNOWN,
    NONE,
    PUBLISHED,
    SUPPORTED,
    Reason,
    Release,
    before,
    only,
    releases_phrase,
    since,
)
from webhook.policy.policy import Profile
from webhook.report import explain, rule_names
from webhook.rules.register import RULES
from webhook.rules.rule import About, Example, Rule, Severity

WHERE = "denied if KubeVirt refuses to migrate, warned about if KubeVirt migrates"
IN_1_3 = only(Release(1, 3))


@pytest.mark.parametrize("word", ["LM201", "lm201", "claim-not-shared", "Claim-Not-Shared", " LM201 "])
def test_a_rule_is_found_by_id_or_name_in_any_case(word: str) -> None:
    """
    Upper and lower case do not matter.
    """
    known = explain.find(word)

    assert known is not None
    assert known.id == "LM201"


@pytest.mark.parametrize("word", ["", "LM2", "LM2011", "claim"])
def test_other_words_find_no_rule(word: str) -> None:
    """
    A part of a name is not a name.
    """
    assert explain.find(word) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("LM2O1", "LM201"),
        ("claim-not-share", "claim-not-shared"),
        ("CLAIM_NOT_SHARED", "claim-not-shared"),
        ("filesystem", "volume-mounted-as-filesystem"),
        ("zzzz", None),
        ("LM9", None),
        ("lm27", None),
        ("LM499", None),
        ("", None),
    ],
)
def test_a_misspelt_rule_gives_a_suggestion(word: str, meant: str | None) -> None:
    """
    Similar words and parts of names give a rule; nonsense gives none.
    """
    assert rule_names.closest(word) == meant


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("LM9", " (families: LM1 for network, LM2 for storage, "),
        ("lm27", " (families: LM1 for network, LM2 for storage, "),
        ("LM999", " (families: LM1 for network, LM2 for storage, "),
        ("LM2", " (several ids start like this, for rules about storage; name one rule)"),
        ("LM499", ""),
        ("LM", ""),
        ("9", ""),
    ],
)
def test_an_unknown_family_gives_the_list_of_families(word: str, message: str) -> None:
    """
    The first digits of an id do not match a rule with these digits elsewhere.
    """
    expected = rule_names.hint(word)

    assert expected.startswith(message) if message else not expected


@pytest.mark.parametrize(
    ("releases", "among", "expected"),
    [
        (PUBLISHED, PUBLISHED, "in every release"),
        (SUPPORTED, SUPPORTED, "in every release"),
        (NONE, PUBLISHED, "in no release"),
        (before(Release(1, 5)), PUBLISHED, "up to 1.4"),
        (before(Release(1, 5)), SUPPORTED, "up to 1.4"),
        (since(Release(1, 5)), PUBLISHED, "from 1.5 on"),
        (only(Release(1, 9)), PUBLISHED, "from 1.9 on"),
        (IN_1_3, PUBLISHED, "in 1.3"),
        (since(Release(1, 9)), KNOWN, "from 1.9 on"),
        (only(Release(1, 9)), KNOWN, "in 1.9"),
        (IN_1_3, SUPPORTED, "in 1.3"),
        (PUBLISHED & ~IN_1_3, PUBLISHED, "up to 1.2 and from 1.4 on"),
        (since(Release(1, 6)) & before(Release(1, 9)), PUBLISHED, "from 1.6 to 1.8"),
    ],
)
def test_releases_become_a_phrase(releases: int, among: int, expected: str) -> None:
    """
    A set of releases becomes a short phrase.
    """
    assert releases_phrase(releases, among) == expected


@pytest.mark.parametrize(
    ("judged", "strict", "exact"),
    [
        (rule(reason=Reason.SEV), "denied", "denied"),
        (rule(reason=Reason.DISKS, baseline=True), "denied", WHERE),
        (rule(baseline=True), "denied", "warned about"),
        (rule(), "denied", "warned about"),
        (rule(severity=Severity.WARNING), "warned about", "warned about"),
        (rule(about=About.SETTINGS), "denied", "warned about"),
        (
            rule(kubevirt=KNOWN, examples=(Example("x", "{}", undetermined=("a",)),)),
            "warned about",
            "warned about",
        ),
    ],
    ids=["KubeVirt's", "fixed list and KubeVirt's", "fixed list", "advice", "mild advice", "settings", "only unproven"],
)
def test_the_described_actions_are_those_of_the_policy(judged: Rule, strict: str, exact: str) -> None:
    """
    The page describes the action that the policy takes.
    """
    assert (explain.in_profile(judged, Profile.STRICT), explain.in_profile(judged, Profile.EXACT)) == (strict, exact)


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (
            rule(reason=Reason.VIRTIOFS),
            (
                "Up to 1.4, KubeVirt does not live-migrate such a VM: its condition LiveMigratable is False, with reason "
                "VirtIOFSNotLiveMigratable. From 1.5 on, KubeVirt accepts it."
            ),
        ),
        (
            rule(reason=Reason.SEV),
            (
                "In every release from 1.0 to 1.9, KubeVirt does not live-migrate such a VM: its condition "
                "LiveMigratable is False, with reason SEVNotLiveMigratable."
            ),
        ),
        (
            rule(baseline=True),
            "No release from 1.0 to 1.9 refuses to live-migrate such a VM. The rule is on Migratable's fixed list.",
        ),
        (rule(), "This rule is advice: no release from 1.0 to 1.9 refuses to live-migrate a VM because of it."),
        (
            rule(about=About.SETTINGS),
            "The rule checks the KubeVirt CR. It does not decide the verdict of a VM by itself.",
        ),
    ],
)
def test_the_description_names_the_releases_of_the_rule(judged: Rule, expected: str) -> None:
    """
    The releases of the rule are part of a sentence about KubeVirt.
    """
    assert explain.in_kubevirt(judged) == expected


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (Example("", "{}"), "accepted"),
        (Example("", "{}", violates=("a", "b")), "rejected at a, b"),
        (Example("", "{}", undetermined=("a",)), "unproven at a"),
        (
            Example("", "{}", violates=("a",), undetermined=("a",)),
            "rejected at a; unproven whether KubeVirt itself refuses it",
        ),
    ],
)
def test_the_result_of_an_example_is_described(example: Example, expected: str) -> None:
    """
    Accepted, rejected or unproven, with the path.
    """
    assert explain.answer(rule(reason=Reason.SEV), example) == expected


def test_advice_is_reported_and_not_rejected() -> None:
    """
    Advice does not prevent a migration, so its examples are not called rejected.
    """
    assert explain.answer(rule(), Example("", "{}", violates=("a",))) == "reported at a"


@pytest.mark.parametrize(
    ("judged", "example"),
    [(one_rule, example) for one_rule in RULES for example in one_rule.examples],
    ids=lambda item: None,
)
def test_examples_are_shown_as_they_are(judged: Rule, example: Example) -> None:
    """
    A shown example reads back as the fragment of the rule, its annotations, the state before an update, and the other
    objects.
    """
    shown, *world = yaml.safe_load_all(explain.as_yaml(judged, example))

    if example.before:
        assert shown == {"spec": yaml.safe_load(example.before)}
        shown, *world = world
    spec = yaml.safe_load(example.spec)
    if example.needs_vm:
        assert shown.get("metadata", {}).get("annotations", {}) == dict(example.outer_annotations)
        template = shown["spec"].pop("template")
        assert shown["spec"] == yaml.safe_load(example.vm_spec or "{}")
        shown = template
    assert (shown if judged.about is About.MANIFEST else shown["spec"]) == spec
    assert shown.get("metadata", {}).get("annotations", {}) == dict(example.annotations)
    assert world == list(example.world)


@given(st.sampled_from(RULES), st.integers(60, 120))
def test_an_explanation_is_complete_and_keeps_within_the_width(judged: Rule, width: int) -> None:
    """
    It has the reason, remedy, both profiles, all examples, source and link. Prose keeps within the width.
    """
    shown = explain.explain(judged, width=width)

    flat = " ".join(shown.split())
    message = (
        judged.id,
        judged.name,
        judged.summary,
        judged.rationale,
        judged.remediation,
        judged.source,
        judged.reference,
    )
    assert [text for text in message if " ".join(text.split()) not in flat] == []
    assert [example.title for example in judged.examples if f"# {example.title}\n" not in shown] == []
    prose = shown[: shown.index("\nExamples\n")].split("What Migratable does")[0].splitlines()[1:]
    assert max(map(len, prose)) <= width


def test_an_example_names_its_release_if_releases_differ() -> None:
    """
    If all releases agree, an example does not name one.
    """
    differing = explain.explain(rule(reason=Reason.VIRTIOFS))
    alike = explain.explain(rule(reason=Reason.SEV))

    assert "# accepted (KubeVirt 1.9)" in differing
    assert "(KubeVirt" not in alike
