"""Sentences that several formats share."""

import pytest

from webhook.report.model import ObjectReport
from webhook.report.sentences import name_of, sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [("no stop", "no stop."), ("a stop.", "a stop."), ("Did you mean None?", "Did you mean None?")],
)
def test_a_sentence_ends_with_one_mark(text: str, expected: str) -> None:
    """
    A full stop ends a sentence, unless a question mark does.
    """
    assert sentence(text) == expected


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [("web", "a", "web/a"), ("", "a", "a"), ("", "", "(no name)"), ("web", "", "web/(no name)")],
)
def test_a_namespace_is_not_taken_for_a_name(namespace: str, name: str, expected: str) -> None:
    """
    An object without a name is called that, also where it has a namespace.
    """
    judged = ObjectReport("kubevirt.io/v1", "VirtualMachine", namespace, name, None, None, [])

    assert name_of(judged) == f"VirtualMachine {expected}"
