"""The metadata, texts and examples of every rule."""

import inspect
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from tests.wrapping import every_example
from webhook.check.check import Settings, check
from webhook.kubevirt.releases import KNOWN, NONE, SUPPORTED, TABLE, Release, giving
from webhook.manifests.objects import read_manifests
from webhook.report.model import FindingReport
from webhook.rules.register import BY_ID, RULES, about
from webhook.rules.rule import FAMILIES, About, Example, Rule

FOLDER = Path(__file__).resolve().parents[2] / "webhook" / "rules"
ONLY_UNDETERMINED = {"unresolved-instancetype-or-preference"}
"""Rules that have undetermined outcomes only."""
LOWER_CASE_NAMES = ("virt-", "virtiofs", "libvirt", "host-local", "whereabouts")
"""Programs whose names start with a lower-case letter, also at the start of a sentence."""

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
each_example = pytest.mark.parametrize(
    ("rule", "example"),
    [(rule, example) for rule in RULES for example in rule.examples],
    ids=lambda parameter: getattr(parameter, "id", None) or parameter.title,
)


def texts(rule: Rule) -> dict[str, str]:
    """All prose of the rule, by field."""
    prose = {
        field.name: getattr(rule, field.name) for field in fields(rule) if isinstance(getattr(rule, field.name), str)
    }
    titles = {f"examples[{at}].title": example.title for at, example in enumerate(rule.examples)}
    return {name: text for name, text in (prose | titles).items() if name not in ("about", "severity", "reason")}


def test_ids_and_names_are_unique() -> None:
    """
    Each id and each name belongs to one rule.
    """
    assert len({rule.id for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES) == len(BY_ID)


def test_all_rules_are_listed_by_id() -> None:
    """
    The list of all rules is sorted by id, so every page and output shows the same order.
    """
    assert [rule.id for rule in RULES] == sorted(BY_ID)


@pytest.mark.parametrize("subject", About)
def test_the_rules_of_a_subject_are_registered_by_id(subject: About) -> None:
    """
    Findings are listed in the order of registration, so each list of rules is registered in the order of the ids.
    """
    ids = [rule.id for rule in about(subject)]

    assert ids
    assert ids == sorted(ids)


def test_each_file_with_a_rule_is_registered() -> None:
    """
    A rule in a file that no register names would never be called.
    """
    files = [file for file in FOLDER.glob("*/*.py") if "\nRULE = " in file.read_text()]

    assert sorted(f"webhook.rules.{file.parent.name}.{file.stem}" for file in files) == sorted(
        rule.check.__module__ for rule in RULES
    )


@each_rule
def test_an_id_names_the_family(rule: Rule) -> None:
    """
    An id is LM, the digit of the family, and two digits.
    """
    assert re.fullmatch(rf"LM[{''.join(FAMILIES)}]\d\d", rule.id)


@each_rule
def test_a_name_is_kebab_case(rule: Rule) -> None:
    """
    A policy file names rules in kebab case.
    """
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)


@each_rule
def test_the_family_matches_the_subject_of_the_rule(rule: Rule) -> None:
    """
    Rules about VMIs are in families 1 to 5 and 8. Rules about the KubeVirt CR, networks and manifests are in 6 to 8.
    """
    if rule.about in (About.VMI, About.DRAIN, About.STORAGE, About.TARGET, About.VM_CHANGE):
        assert rule.id[2] in "123458"
    else:
        assert rule.id[2] in "678"


@pytest.mark.parametrize("field", ["summary", "rationale", "remediation"])
@each_rule
def test_summary_rationale_and_remediation_are_sentences(rule: Rule, field: str) -> None:
    """
    Each of them starts with a capital letter and ends with one full stop.
    """
    text: str = getattr(rule, field)

    assert text.endswith(".")
    assert not text.endswith("..")
    assert text == text.strip()
    assert text[0].isupper() or text.startswith(LOWER_CASE_NAMES) or re.match(r"[a-z]+[A-Z]|`", text)


@each_rule
def test_a_summary_is_one_sentence(rule: Rule) -> None:
    """
    The summary fits on one line of a list.
    """
    assert "\n" not in rule.summary
    assert ". " not in rule.summary
    assert len(rule.summary) <= 100


@each_rule
def test_links_are_https(rule: Rule) -> None:
    """
    A reference is an HTTPS URL.
    """
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", rule.reference)


@each_rule
def test_the_source_names_a_release(rule: Rule) -> None:
    """
    The source names the KubeVirt release of the code, so that a reader can check it.
    """
    assert re.search(r"\bv\d+\.\d+", rule.source)


@each_rule
def test_releases_agree_with_the_reason(rule: Rule) -> None:
    """
    A rule refuses only in releases that have its reason. A rule without a reason refuses in no release.
    """
    assert rule.kubevirt & ~KNOWN == NONE
    if rule.reason is not None:
        assert rule.kubevirt != NONE
        assert rule.kubevirt & ~giving(rule.reason) == NONE
    elif rule.kubevirt != NONE:
        assert rule.name in ONLY_UNDETERMINED


@each_rule
def test_every_rule_is_registered_under_its_subject(rule: Rule) -> None:
    """
    The engine runs the rules of a subject, so a rule is registered under its own.
    """
    assert rule in about(rule.about)


@each_rule
def test_a_rule_has_three_accepted_and_three_rejected_examples(rule: Rule) -> None:
    """
    A page shows enough of what is accepted and of what is rejected; a rule that only reports missing facts shows those.
    """
    accepted = [example for example in rule.examples if not example.violates and not example.undetermined]
    rejected = [example for example in rule.examples if example.violates]
    undetermined = [example for example in rule.examples if example.undetermined]

    assert len(accepted) >= 3
    assert len(undetermined if rule.name in ONLY_UNDETERMINED else rejected) >= 3


@each_rule
def test_a_rule_that_can_be_undetermined_has_an_undetermined_example(rule: Rule) -> None:
    """
    Where a fact may be missing, an example shows the result without that fact.
    """
    can_be_undetermined = "Undetermined(" in inspect.getsource(rule.check)

    assert any(example.undetermined for example in rule.examples) or not can_be_undetermined


@each_rule
def test_examples_show_both_sides_of_a_release_boundary(rule: Rule) -> None:
    """
    If supported releases differ, one example is judged for a release that refuses, and one for a release that does not.
    """
    if rule.kubevirt & SUPPORTED in (NONE, SUPPORTED):
        return
    refusing = {bool(rule.kubevirt >> _index(example) & 1) for example in rule.examples}

    assert refusing == {True, False}


def _index(example: Example) -> int:
    return [str(behaviour.release) for behaviour in TABLE].index(example.release)


@each_example
def test_the_title_of_an_example_is_a_heading(rule: Rule, example: Example) -> None:
    """
    A title is short, has no full stop, and is unique in its rule. The release of the example is a known one.
    """
    assert 0 < len(example.title) <= 90
    assert not example.title.endswith(".")
    assert [other.title for other in rule.examples].count(example.title) == 1
    assert Release(*map(int, example.release.split("."))) in [behaviour.release for behaviour in TABLE]


JARGON = re.compile(r"(?<!\()\bRWX\b|\b(RWO|ROX|drain mode|migration job|shared disk|guest instance)\b")
"""RWX appears only as ReadWriteMany (RWX), so that a search finds it and a reader understands it."""


@each_rule
def test_texts_use_the_words_of_kubevirt(rule: Rule) -> None:
    """
    No text of a rule has a short name of an access mode, or a word that KubeVirt does not use.
    """
    assert {name: text for name, text in texts(rule).items() if JARGON.search(text)} == {}


@pytest.fixture(scope="module")
def findings() -> list[FindingReport]:
    """The findings of all examples."""
    findings = []
    for _, example, wrap in every_example():
        inputs = read_manifests(json.dumps(wrap(example)).encode(), "example")
        world = [known for item in example.world for known in read_manifests(json.dumps(item).encode(), "w").objects]
        report = check([inputs], Settings(release=example.release), world)
        findings += [finding for judged in report.objects for finding in judged.findings]
    return findings


def test_messages_are_parts_of_a_sentence_in_the_words_of_kubevirt(findings: list[FindingReport]) -> None:
    """
    Outputs put the message in a sentence of their own, so it is one line without a full stop.
    """
    wrong = {
        f"{finding.rule}: {finding.message}"
        for finding in findings
        if re.search(r"\.$|\n", finding.message) or JARGON.search(finding.message) or JARGON.search(finding.remedy)
    }

    assert findings
    assert wrong == set()


def test_a_violation_with_a_reason_says_that_the_vm_cannot_be_live_migrated(findings: list[FindingReport]) -> None:
    """
    Tenants read the message in the output of kubectl apply, where nothing else names live migration. The one exception is a
    GPU that only the fixed list denies.
    """
    consequence = re.compile(
        r"cannot be live-migrated|cannot live-migrate the VM|live migration crashes|Profile `exact` only warns"
    )
    violations = [finding for finding in findings if finding.outcome == "violation" and finding.reason]

    assert {finding.rule for finding in violations} == {rule.id for rule in RULES if rule.reason is not None}
    assert {finding.message for finding in violations if not consequence.search(finding.message)} == set()
