"""JSON as Go's ``encoding/json`` reads it, as far as a CNI configuration can tell the difference."""

from collections.abc import Mapping
from typing import Final

from webhook.objects.meta import Json

LONGEST: Final = 1 << 20
"""Characters of a configuration that is still read; etcd refuses an object a little above this."""
_DIGITS: Final = 400


class NotJson(ValueError):
    """The text is not JSON; the message says where."""


class TooLarge(ValueError):
    """The text is longer or nested deeper than is read here; a plugin may still read it."""


def parse(text: str) -> Json:
    """
    The value that ``text`` holds.

    Raises ``NotJson`` with line and character, ``TooLarge`` for what nobody writes by hand.
    """
    if len(text) > LONGEST:
        raise TooLarge("is longer than 1 MiB")
    import json  # noqa: PLC0415 - what is judged most holds none

    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_integer)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, character {error.colno}"
        raise NotJson(f"is not JSON: {where}: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise TooLarge("is nested too deep to be read") from None


def _refuse(word: str) -> Json:
    raise NotJson(f"is not JSON: it holds {word}, which JSON has no word for")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float("inf")


def member(settings: Mapping[str, Json], key: str) -> Json:
    """The value of ``key``; Go takes it in any capitals where the exact word is absent. None where there is none."""
    if key in settings:
        return settings[key]
    folded = key.lower()
    return next((value for name, value in settings.items() if name.lower() == folded), None)


def text_of(value: Json) -> str:
    """The value if it is a string, else empty."""
    return value if isinstance(value, str) else ""
