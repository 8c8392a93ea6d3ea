"""Validation errors of msgspec, read into message and place (webhook.objects.type_errors)."""

from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest

from webhook.objects.path import dotted
from webhook.objects.type_errors import ANY_KEY, TypeFault, type_fault


class Choice(Enum):
    """Values of an enum field."""

    ONE = "one"


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field for each type that files and objects have."""

    text: str | None = None
    whole: int = 0
    number: float = 0.0
    truth: bool = False
    items: list[int] = []
    labels: dict[str, str] = {}
    choice: Choice = Choice.ONE
    limited: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    either: str | int | float | None = None


class Outer(msgspec.Struct, frozen=True):
    """A struct with a required field and a nested struct."""

    name: str
    inner: Inner = Inner()


def fault_of(value: Any) -> tuple[str, TypeFault]:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(value, Outer)
    return str(raised.value), type_fault(raised.value)


@pytest.mark.parametrize(
    ("inner", "english", "fault"),
    [
        (
            {"text": 1},
            "Expected `str | null`, got `int` - at `$.inner.text`",
            TypeFault("expected a string, got an integer", ("inner", "text"), expected="str", got="int"),
        ),
        (
            {"whole": 1.5},
            "Expected `int`, got `float` - at `$.inner.whole`",
            TypeFault("expected an integer, got a number", ("inner", "whole"), expected="int", got="float"),
        ),
        (
            {"number": True},
            "Expected `float`, got `bool` - at `$.inner.number`",
            TypeFault("expected a number, got a boolean", ("inner", "number"), expected="float", got="bool"),
        ),
        (
            {"truth": None},
            "Expected `bool`, got `null` - at `$.inner.truth`",
            TypeFault("expected a boolean, got null", ("inner", "truth"), expected="bool", got="null"),
        ),
        (
            {"items": {}},
            "Expected `array`, got `object` - at `$.inner.items`",
            TypeFault("expected a list, got a mapping", ("inner", "items"), expected="array", got="object"),
        ),
        (
            {"items": [0, "a"]},
            "Expected `int`, got `str` - at `$.inner.items[1]`",
            TypeFault("expected an integer, got a string", ("inner", "items", 1), expected="int", got="str"),
        ),
        (
            {"labels": {"a": []}},
            "Expected `str`, got `array` - at `$.inner.labels[...]`",
            TypeFault("expected a string, got a list", ("inner", "labels", ANY_KEY), expected="str", got="array"),
        ),
        (
            {"either": []},
            "Expected `int | float | str | null`, got `array` - at `$.inner.either`",
            TypeFault(
                "expected an integer or a number or a string, got a list",
                ("inner", "either"),
                expected="int | float | str",
                got="array",
            ),
        ),
        (
            {"limited": 9},
            "Expected `int` <= 3 - at `$.inner.limited`",
            TypeFault("expected an integer <= 3", ("inner", "limited"), expected="int"),
        ),
        (
            {"choice": "two - at `$.inner`"},
            "Invalid enum value 'two - at `$.inner`' - at `$.inner.choice`",
            TypeFault("invalid value 'two - at `$.inner`'", ("inner", "choice"), invalid_choice="'two - at `$.inner`'"),
        ),
        (
            {"txet": 1},
            "Object contains unknown field `txet` - at `$.inner`",
            TypeFault("unknown key", ("inner", "txet"), unknown_key="txet"),
        ),
        (
            5,
            "Expected `object`, got `int` - at `$.inner`",
            TypeFault("expected a mapping, got an integer", ("inner",), expected="object", got="int"),
        ),
    ],
)
def test_an_error_of_msgspec_has_a_message_and_a_place(inner: Any, english: str, fault: TypeFault) -> None:
    """
    msgspec still uses the sentence that this project reads, and message, place and types are read from it.
    """
    assert fault_of({"name": "n", "inner": inner}) == (english, fault)


@pytest.mark.parametrize(
    ("value", "english", "fault"),
    [
        ({}, "Object missing required field `name`", TypeFault("missing key `name`", missing_key="name")),
        (
            [],
            "Expected `object`, got `array`",
            TypeFault("expected a mapping, got a list", expected="object", got="array"),
        ),
    ],
)
def test_an_error_at_the_root_has_an_empty_place(value: Any, english: str, fault: TypeFault) -> None:
    """
    Without a place, the whole sentence is the message.
    """
    assert fault_of(value) == (english, fault)


def test_a_key_that_msgspec_does_not_name_is_spelled_as_msgspec_does() -> None:
    """
    A path to a key of a free map ends with ``[...]``.
    """
    _, fault = fault_of({"name": "n", "inner": {"labels": {"a": 1}}})

    assert dotted(fault.place) == "inner.labels[...]"


def test_an_unfamiliar_sentence_is_repeated() -> None:
    """
    An error from elsewhere, such as a check of this project, keeps its text.
    """
    error = msgspec.ValidationError("Kind is missing - at `$.a[0]`")

    assert type_fault(error) == TypeFault("kind is missing", ("a", 0))
