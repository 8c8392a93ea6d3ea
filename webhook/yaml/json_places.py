"""Finds positions in a JSON document. This module does no I/O."""

from functools import cached_property
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # public by its name, but not in the stubs
from typing import Final, cast

from webhook.yaml.json_reader import SPACE, skip
from webhook.yaml.text import Step

_decode: Final = JSONDecoder(parse_int=float).raw_decode


class JsonPlace:
    """
    The place of a JSON value, or of a name with its value, which starts at ``value``. The C decoder skips each child to find the
    next child.
    """

    def __init__(self, text: str, start: int, value: int) -> None:
        self.start = start
        self.value = value
        self.end: int = _decode(text, value)[1]
        self._text = text

    def child(self, step: Step) -> "JsonPlace | None":
        """Returns the member of an object or array."""
        return self.children.get(step)

    @property
    def name_end(self) -> int:
        """The offset after the name."""
        return cast("int", scanstring(self._text, self.start + 1, True)[1])

    @cached_property
    def children(self) -> "dict[Step, JsonPlace]":
        """The places of the members of an object or array."""
        children: dict[Step, JsonPlace] = {}
        if (opening := self._text[self.value]) not in "{[":
            return children
        offset = skip(SPACE, self._text, self.value + 1)
        while self._text[offset] not in "}]":
            name: Step = len(children)
            value = offset
            if opening == "{":
                name, after_name = scanstring(self._text, offset + 1, True)
                value = skip(SPACE, self._text, skip(SPACE, self._text, after_name) + 1)  # after the colon
            child = children[name] = JsonPlace(self._text, offset, value)
            offset = skip(SPACE, self._text, child.end)
            if self._text[offset] == ",":
                offset = skip(SPACE, self._text, offset + 1)
        return children
