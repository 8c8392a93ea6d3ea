"""Suggestions for misspelt words (webhook.kubevirt.schema.spelling)."""

import pytest

from webhook.kubevirt.schema.spelling import close_matches

WORDS = ["masquerade", "masqueraded", "bridge", "sriov"]


@pytest.mark.parametrize(
    ("word", "cutoff", "expected"),
    [
        ("masquerad", 0.6, ["masquerade"]),
        ("bridg", 0.6, ["bridge"]),
        ("fridge", 0.6, ["bridge"]),
        ("fridge", 0.9, []),
        ("xyz", 0.6, []),
        ("srxxx", 0.3, ["sriov"]),
    ],
)
def test_only_the_closest_word_is_suggested(word: str, cutoff: float, expected: list[str]) -> None:
    """
    One word at most, and none where all are less similar than the cutoff.
    """
    assert close_matches(word, WORDS, cutoff) == expected


def test_the_usual_cutoff_is_three_fifths() -> None:
    """
    A less similar word is no suggestion.
    """
    assert close_matches("srxxx", WORDS) == []
    assert close_matches("fridge", WORDS) == ["bridge"]
