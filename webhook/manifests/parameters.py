"""
The parameters of a template, such as ``${NAME}`` in an OpenShift Template.

A parameter with a default value has this value, as in ``oc process`` without options. A parameter without a value stays in
the text as a placeholder: the value is unknown, not wrong.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from webhook.objects.lenient import parse
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

_TEXT: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_WHOLE: Final = re.compile(r"\$\{\{([A-Za-z0-9_]+)\}\}\Z")
"""OpenShift replaces the whole string, quotes included (openshift/library-go pkg/template/templateprocessing)."""
_GO: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
"""A template of a ConfigurationPolicy, such as ``{{hub fromConfigMap "" "a" "b" hub}}``."""


class Parameters(msgspec.Struct, frozen=True):
    """The default values of the parameters of a template. A parameter without a default value is not in ``values``."""

    values: Mapping[str, str]
    is_templated: bool = False
    """Whether the objects inside can have placeholders."""


NO_PARAMETERS: Final = Parameters({})


def parameters_of(written: Json) -> Parameters:
    """The parameters in the ``parameters`` field of a template."""
    entries = [entry for entry in written if isinstance(entry, dict)] if isinstance(written, list) else []
    values = {
        entry["name"]: value
        for entry in entries
        if isinstance(entry.get("name"), str) and isinstance(value := entry.get("value"), str) and value
    }
    return Parameters(values, is_templated=True)


def with_defaults(value: Json, parameters: Parameters) -> tuple[Json, tuple[str, ...]]:
    """Returns a copy of ``value`` with default values, and the names of the parameters that are used outside its metadata."""
    used: dict[str, None] = {}
    return _replaced(value, parameters.values, used, is_listed=True), tuple(used)


def _replaced(value: Json, values: Mapping[str, str], used: dict[str, None], *, is_listed: bool) -> Json:
    if isinstance(value, dict):
        return {
            key: _replaced(member, values, used, is_listed=is_listed and key != "metadata")
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_replaced(item, values, used, is_listed=is_listed) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _WHOLE.match(value)
    names = {whole[1]} if whole else set(_TEXT.findall(value))
    if is_listed:
        used.update(dict.fromkeys(sorted(names & values.keys())))
    if whole:
        return _scalar(values[whole[1]]) if whole[1] in values else value
    return _TEXT.sub(lambda match: values.get(match[1], match[0]), value)


def _scalar(text: str) -> Json:
    """The JSON value that a ``${{X}}`` becomes. A text that is not JSON stays a string, as in ``oc process``."""
    try:
        return parse(text.encode())
    except msgspec.DecodeError:
        return text


def placeholders_in(value: Json) -> Iterator[tuple[FieldPath, str]]:
    """Yields the path and the name of each placeholder. An object with a long text can have several in one string."""
    waiting: list[tuple[FieldPath, Json]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, dict):
            waiting.extend(((*path, key), member) for key, member in inner.items())
        elif isinstance(inner, list):
            waiting.extend(((*path, index), item) for index, item in enumerate(inner))
        elif isinstance(inner, str) and (name := placeholder(inner)):
            yield path, name


def placeholder(text: str) -> str:
    """The first placeholder in a text, as in ``${NAME}``, or an empty text."""
    if "${" not in text and "{{" not in text:
        return ""
    found = _WHOLE.match(text) or _TEXT.search(text) or _GO.search(text)
    return found[0] if found else ""
