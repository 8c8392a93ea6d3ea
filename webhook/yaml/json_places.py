"""Finds positions in a JSON document. This module does no I/O."""

import re
from collections.abc import Mapping
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # public by its name, but not in the stubs
from typing import cast

from webhook.yaml.text import Place, Step

_SPACE = re.compile(r"[ \t\r\n]*")


class JsonPlaces:
    """Finds the positions in one JSON value. The C decoder skips each child to find the next child."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._decode = JSONDecoder(parse_int=float).raw_decode
        self._children_at: dict[int, dict[Step, Place]] = {}
        self.root = Place(start, self._decode(text, start)[1], start)

    def child(self, place: Place, step: Step) -> Place | None:
        """Returns the member of an object or array."""
        return self.within(place).get(step)

    def within(self, place: Place) -> Mapping[Step, Place]:
        """Returns the children of an object or array."""
        start = cast("int", place.inside)
        if start not in self._children_at:
            self._children_at[start] = self._children(start)
        return self._children_at[start]

    def key_end(self, place: Place) -> int:
        """Returns the offset at which the key of a child of an object ends."""
        return cast("int", scanstring(self._text, place.start + 1, True)[1])

    def _children(self, start: int) -> dict[Step, Place]:
        children: dict[Step, Place] = {}
        if (opening := self._text[start]) not in "{[":
            return children
        offset = self._skip_space(start + 1)
        while self._text[offset] not in "}]":
            name: Step = len(children)
            value = offset
            if opening == "{":
                name, after_name = scanstring(self._text, offset + 1, True)
                value = self._skip_space(self._skip_space(after_name) + 1)  # after the colon
            end = self._decode(self._text, value)[1]
            children[name] = Place(offset, end, value)
            offset = self._skip_space(end)
            if self._text[offset] == ",":
                offset = self._skip_space(offset + 1)
        return children

    def _skip_space(self, offset: int) -> int:
        space = _SPACE.match(self._text, offset)
        return space.end() if space else offset
