"""Numbers that users write (webhook.objects.whole_number)."""

import pytest

from webhook.objects.whole_number import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        (str(2**64 - 1), 2**64 - 1),
        ("1" * 21, None),
        ("1" * 5000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1_0", None),
        (" 1", None),
        ("1.0", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
        ("\N{SUPERSCRIPT TWO}", None),
    ],
)
def test_only_short_texts_of_ascii_digits_are_numbers(text: str, number: int | None) -> None:
    """
    The largest 64-bit number has 20 digits. ``int`` raises an error for a text of more than 4,300 digits.
    """
    assert whole_number(text) == number
