"""The sentences that all machine formats share."""

import pytest

from webhook.report.saying import sentence


@pytest.mark.parametrize(
    ("text", "said"), [("no stop", "no stop."), ("a stop.", "a stop."), ("Did you mean None?", "Did you mean None?")]
)
def test_a_sentence_ends_with_one_mark(text: str, said: str) -> None:
    """
    A full stop ends a sentence, unless a question mark does.
    """
    assert sentence(text) == said
