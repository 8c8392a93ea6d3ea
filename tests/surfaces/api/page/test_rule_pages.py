"""The pages of the rules, without a browser."""

import re

import pytest

from tests.surfaces.api.api import APP
from tests.surfaces.asgi import Answer, call
from webhook.report.explain import as_yaml
from webhook.rules.register import RULES
from webhook.rules.rule import Rule
from webhook.surfaces.api.page.markup import element


def get(path: str) -> Answer:
    return call(APP, "GET", path)


def test_the_index_links_to_every_rule() -> None:
    """
    As HTML, without script.
    """
    answer = get("/rules")

    assert answer.status == 200
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert re.findall(r'href="/rules/(LM\d+)"', answer.text) == sorted(rule.id for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_page_has_the_text_of_its_rule(rule: Rule) -> None:
    """
    Summary, rationale, remedy and every example.
    """
    answer = get(f"/rules/{rule.id}")

    text = re.sub(r"</?code>", "`", answer.text)
    assert answer.status == 200
    for part in (rule.summary, rule.rationale, rule.remediation):
        assert element("p", part)[3:-4] in text
    for example in rule.examples:
        assert element("i", as_yaml(rule, example))[3:-4] in answer.text


def test_a_rule_is_found_by_name_and_in_any_case() -> None:
    """
    As in ``migratable explain``.
    """
    assert get("/rules/Bridge-on-pod-network").body == get("/rules/lm101").body == get("/rules/LM101").body


@pytest.mark.parametrize("word", ["LM999", "<script>", "x" * 5000])
def test_an_unknown_rule_is_a_page_with_the_way_back(word: str) -> None:
    """
    The status is 404, and the word is escaped and cut.
    """
    answer = get(f"/rules/{word}")

    assert answer.status == 404
    assert "<script>" not in answer.text
    assert 'href="/rules"' in answer.text
    assert len(answer.body) < 3000
