"""JSON as Go reads it (webhook.cni.json)."""

from typing import Any

import pytest

from webhook.cni import json as gojson


def test_json_is_read() -> None:
    """
    Objects, lists, texts and numbers are what they are.
    """
    assert gojson.parse('{"a": [1, "b", null, true]}') == {"a": [1, "b", None, True]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON: line 1, character 2: expecting property name enclosed in double quotes"),
        ("[1,\n x]", "is not JSON: line 2, character 2: expecting value"),
        ("NaN", "is not JSON: NaN is not a JSON value"),
        ("[-Infinity]", "is not JSON: -Infinity is not a JSON value"),
    ],
)
def test_an_error_about_invalid_json_names_the_place(text: str, message: str) -> None:
    """
    The error names line and character, or the JavaScript word that is not a JSON value.
    """
    with pytest.raises(gojson.NotJson) as error:
        gojson.parse(text)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" + " " * gojson.MAX_LENGTH, "is longer than 1 MiB"),
        ("[" * 100_000, "is nested too deeply"),
    ],
    ids=["long", "deep"],
)
def test_a_configuration_that_is_too_large_is_not_invalid(text: str, message: str) -> None:
    """
    A plugin may still read a longer or deeper text.
    """
    with pytest.raises(gojson.TooLarge) as error:
        gojson.parse(text)

    assert str(error.value) == message


def test_a_text_of_1_mib_is_read() -> None:
    """
    The limit itself is read.
    """
    assert gojson.MAX_LENGTH == 2**20
    assert gojson.parse("1" + " " * (gojson.MAX_LENGTH - 1)) == 1


@pytest.mark.parametrize(("digits", "value"), [(400, int("9" * 400)), (401, float("inf"))])
def test_a_number_of_hundreds_of_digits_is_infinite(digits: int, value: float) -> None:
    """
    Longer numbers are not converted, because that takes time without limit.
    """
    assert gojson.parse("9" * digits) == value


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"rangeStart": 1, "RANGESTART": 2}, 1),
        ({"RANGESTART": 2, "rangestart": 3}, 2),
        ({"range_start": 1}, None),
        ({"rangeStart": None, "rangestart": 3}, None),
    ],
)
def test_a_key_is_found_in_any_capitals(settings: dict[str, Any], value: object) -> None:
    """
    The exact key comes first, then the first that differs in case.
    """
    assert gojson.member(settings, "rangeStart") == value


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (1, ""), (None, ""), (["a"], "")])
def test_only_a_string_is_text(value: Any, text: str) -> None:
    """
    Any other type counts as an empty text.
    """
    assert gojson.text_of(value) == text
