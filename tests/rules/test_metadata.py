"""What every rule says of itself, and how."""

import json
import re

import pytest
from msgspec.structs import fields

from tests.wrapping import every_example
from webhook.check.check import Settings, check
from webhook.kubevirt.releases import KNOWN, NONE, SUPPORTED, TABLE, Release, giving
from webhook.manifests.objects import read_manifests
from webhook.rules.register import BY_ID, RULES, about
from webhook.rules.rule import FAMILIES, About, Example, Rule

ONLY_UNDETERMINED = {"unresolved-instancetype-or-preference"}
"""Rules that never say that something is wrong."""
NEEDS_MORE_THAN_MANIFESTS = {"conflict-with-instancetype"}
"""Rules about what stands outside the VMI's spec, or is sure only in a whole cluster; they have tests of their own."""
LOWER_CASE_NAMES = ("virt-", "virtiofs", "libvirt", "host-local", "whereabouts")
"""Programs that begin sentences as they are spelt."""

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
each_example = pytest.mark.parametrize(
    ("rule", "example"),
    [(rule, example) for rule in RULES for example in rule.examples],
    ids=lambda each: getattr(each, "id", None) or each.title,
)


def texts(rule: Rule) -> dict[str, str]:
    """All that the rule says in prose."""
    prose = {each.name: getattr(rule, each.name) for each in fields(rule) if isinstance(getattr(rule, each.name), str)}
    titles = {f"examples[{at}].title": each.title for at, each in enumerate(rule.examples)}
    return {name: text for name, text in (prose | titles).items() if name not in ("about", "severity", "reason")}


def test_ids_and_names_are_unique() -> None:
    """
    An id or a name means one rule.
    """
    assert len({rule.id for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES) == len(BY_ID)


def test_rules_are_listed_by_id() -> None:
    """
    Lists of rules read in order everywhere, because they are registered in order.
    """
    assert [rule.id for rule in RULES] == sorted(rule.id for rule in RULES)


@each_rule
def test_an_id_tells_its_family(rule: Rule) -> None:
    """
    LM, the family's digit, two more digits.
    """
    assert re.fullmatch(rf"LM[{''.join(FAMILIES)}]\d\d", rule.id)


@each_rule
def test_a_name_is_kebab_case(rule: Rule) -> None:
    """
    Names are written as in a policy file.
    """
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)


@each_rule
def test_the_family_fits_what_the_rule_looks_at(rule: Rule) -> None:
    """
    Rules about the KubeVirt CR, networks and manifests are in their own families, those about VMIs in 1 to 5 or 8.
    """
    if rule.about in (About.VMI, About.DRAIN):
        assert rule.id[2] in "123458"
    else:
        assert rule.id[2] in "678"


@pytest.mark.parametrize("field", ["summary", "rationale", "remediation"])
@each_rule
def test_prose_is_made_of_sentences(rule: Rule, field: str) -> None:
    """
    Summary, rationale and remedy begin as sentences do and end with a full stop.
    """
    text: str = getattr(rule, field)

    assert text.endswith(".")
    assert not text.endswith("..")
    assert text == text.strip()
    assert text[0].isupper() or text.startswith(LOWER_CASE_NAMES) or re.match(r"[a-z]+[A-Z]|`", text)


@each_rule
def test_a_summary_is_one_sentence(rule: Rule) -> None:
    """
    Lists show the summary on one line.
    """
    assert "\n" not in rule.summary
    assert ". " not in rule.summary
    assert len(rule.summary) <= 100


@each_rule
def test_links_are_https(rule: Rule) -> None:
    """
    Readers are sent to pages that cannot be changed on the way.
    """
    assert re.fullmatch(r"https://[a-z0-9.-]+/\S*", rule.reference)


@each_rule
def test_the_source_names_a_release(rule: Rule) -> None:
    """
    Where a fact was read, and in which release, so that it can be read again.
    """
    assert re.search(r"\bv\d+\.\d+", rule.source)


@each_rule
def test_releases_agree_with_the_reason(rule: Rule) -> None:
    """
    No rule refuses in a release that never gives its reason; a rule that gives none refuses nowhere or is undetermined.
    """
    assert rule.kubevirt & ~KNOWN == NONE
    if rule.reason is not None:
        assert rule.kubevirt != NONE
        assert rule.kubevirt & ~giving(rule.reason) == NONE
    elif rule.kubevirt != NONE:
        assert rule.name in ONLY_UNDETERMINED


@each_rule
def test_every_rule_is_asked(rule: Rule) -> None:
    """
    What a rule looks at is one of the things that the engine asks about.
    """
    assert rule in about(rule.about)


@each_rule
def test_accepted_and_rejected_are_both_shown(rule: Rule) -> None:
    """
    A page shows what passes beside what does not.
    """
    accepted = [each for each in rule.examples if not each.violates and not each.undetermined]
    rejected = [each for each in rule.examples if each.violates]

    assert accepted
    assert rejected or rule.name in ONLY_UNDETERMINED | NEEDS_MORE_THAN_MANIFESTS


@each_rule
def test_both_sides_of_a_release_boundary_are_shown(rule: Rule) -> None:
    """
    Where supported releases differ, examples are judged for one that refuses and for one that does not.
    """
    if rule.kubevirt & SUPPORTED in (NONE, SUPPORTED):
        return
    shown = {bool(rule.kubevirt >> _index(each) & 1) for each in rule.examples}

    assert shown == {True, False}


def _index(example: Example) -> int:
    return [str(each.release) for each in TABLE].index(example.release)


@each_example
def test_an_example_is_named_for_a_heading(rule: Rule, example: Example) -> None:
    """
    Titles are headings: short, without a full stop, each once a rule, for a release that is known.
    """
    assert 0 < len(example.title) <= 90
    assert not example.title.endswith(".")
    assert [each.title for each in rule.examples].count(example.title) == 1
    assert Release(*map(int, example.release.split("."))) in [each.release for each in TABLE]


@each_rule
def test_words_are_the_fields_own(rule: Rule) -> None:
    """
    Abbreviations of storage people and words that KubeVirt does not use stay out of what tenants read.
    """
    jargon = re.compile(r"\b(RWX|RWO|ROX|PVCs?|drain mode|migration job|shared disk|guest instance)\b")

    assert {name: text for name, text in texts(rule).items() if jargon.search(text)} == {}


def test_messages_are_for_tenants() -> None:
    """
    Messages of all examples begin in the middle of a sentence, end without a full stop, and say ReadWriteMany and claim.
    """
    findings = []
    for _, example, wrap in every_example():
        given = read_manifests(json.dumps(wrap(example)).encode(), "example")
        world = [each for known in example.world for each in read_manifests(json.dumps(known).encode(), "w").objects]
        report = check([given], Settings(release=example.release), world)
        findings += [finding for each in report.objects for finding in each.findings]

    wrong = {
        f"{each.rule}: {each.message}"
        for each in findings
        if re.search(r"\b(RWX|RWO|PVC)\b|\.$|\n", each.message) or re.search(r"\b(RWX|RWO|PVC)\b", each.remedy)
    }
    assert findings
    assert wrong == set()
