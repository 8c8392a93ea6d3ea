"""Reads JSON as Go's ``encoding/json`` reads it, as far as CNI configurations need this."""

from collections.abc import Mapping
from typing import Final

from webhook.objects.meta import Json

MAX_LENGTH: Final = 1 << 20
"""The maximum number of characters in a configuration. etcd refuses objects that are slightly larger."""
_MAX_DIGITS: Final = 400


class NotJson(ValueError):
    """The text is not JSON. The message names the place of the fault."""


class TooLarge(ValueError):
    """The text is too long or nested too deeply for Migratable. A plugin might still be able to read it."""


def parse(text: str) -> Json:
    """
    Returns the value in ``text``.

    Raises ``NotJson`` with line and character for text that is not JSON. Raises ``TooLarge`` for text beyond the limits.
    """
    if len(text) > MAX_LENGTH:
        raise TooLarge("is longer than 1 MiB")
    import json  # noqa: PLC0415 - most objects have no such configuration

    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_integer)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, character {error.colno}"
        raise NotJson(f"is not JSON: {where}: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise TooLarge("is nested too deeply") from None


def _refuse(word: str) -> Json:
    raise NotJson(f"is not JSON: {word} is not a JSON value")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float("inf")


def member(settings: Mapping[str, Json], key: str) -> Json:
    """Returns the value of ``key``, or None. If no key matches exactly, the case of letters is ignored, as in Go."""
    if key in settings:
        return settings[key]
    folded = key.lower()
    return next((value for name, value in settings.items() if name.lower() == folded), None)


def text_of(value: Json) -> str:
    """Returns the value if it is a string, or '' for any other value."""
    return value if isinstance(value, str) else ""
