"""Values in messages (webhook.objects.shown)."""

from typing import Any

import pytest

from webhook.objects.shown import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("a", "'a'"),
        ("a" * 60, f"'{'a' * 60}'"),
        ("a" * 61, f"'{'a' * 60}…'"),
        (5, "5"),
        (1.5, "1.5"),
        (int("9" * 60), "9" * 60),
        (int("9" * 61), "a very long number"),
        ([1], "a list"),
        ({"a": 1}, "an object"),
    ],
)
def test_a_value_in_a_message_is_short(value: Any, text: str) -> None:
    """
    Strings are cut after 60 characters; long numbers, lists and objects are named by their type.
    """
    assert shown(value) == text
