"""Parameters of an address: which ones a page has, and which values they have. This module does no I/O."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from webhook.errors import BadInput

_MOST_SHOWN: Final = 100
"""The maximum number of characters of a wrong value that the page shows."""
_MOST_DIGITS: Final = 6

Check: TypeAlias = Callable[[str], str]
"""Gives the possible values in words if a value is wrong, and an empty text otherwise."""


class Parameters:
    """The parameters of a request. Those without a value are left out."""

    def __init__(self, query: Iterable[tuple[str, str]], known: Mapping[str, Check]) -> None:
        """``known`` has the check of each parameter of the page. Raises BadInput for another name or a wrong value."""
        self._values: dict[str, str] = {}
        for name, value in query:
            if name not in known:
                names = ", ".join(known)
                raise BadInput(
                    f"this page has no parameter {_short(name)}",
                    remedy=f"Possible parameters: {names}." if names else "Leave all parameters out.",
                )
            if name in self._values:
                raise BadInput(f"parameter {name} is duplicate", remedy="Leave one of them out.")
            if not value:
                continue
            if possible := known[name](value):
                raise BadInput(
                    f"parameter {name} has an unknown value: {_short(value)}", remedy=f"Possible values: {possible}."
                )
            self._values[name] = value

    def __getitem__(self, name: str) -> str:
        """The value, or an empty text."""
        return self._values.get(name, "")

    def items(self) -> Iterable[tuple[str, str]]:
        """Names and values, in the order of the address."""
        return self._values.items()

    def changed(self, **changes: str) -> list[tuple[str, str]]:
        """The parameters with other values. The page of a list starts again, unless ``page`` is one of the changes."""
        return [*({**self._values, "page": ""} | changes).items()]


def anything(_value: str) -> str:
    """Accepts every value, such as a name."""
    return ""


def one_of(values: Collection[str]) -> Check:
    """Accepts these values."""
    return lambda value: "" if value in values else ", ".join(values)


def whole_number(value: str) -> str:
    """Accepts a whole number from 1."""
    is_number = value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS and int(value) > 0
    return "" if is_number else "a whole number from 1"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
