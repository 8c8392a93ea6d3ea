"""Positions in JSON, looked for when somebody asks. This file does no I/O."""

import re
from collections.abc import Mapping
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in name, not in the stubs
from typing import cast

from webhook.yaml.text import Place, Step

_SPACE = re.compile(r"[ \t\r\n]*")


class JsonPlaces:
    """Positions in one JSON value; a container's children are found when it is asked for, at the C decoder's speed."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._decode = JSONDecoder(parse_int=float).raw_decode
        self._known: dict[int, dict[Step, Place]] = {}
        self.root = Place(start, self._decode(text, start)[1], start)

    def within(self, place: Place) -> Mapping[Step, Place]:
        """The children of an object or array."""
        start = cast("int", place.inside)
        if start not in self._known:
            self._known[start] = self._children(start)
        return self._known[start]

    def _children(self, start: int) -> dict[Step, Place]:
        children: dict[Step, Place] = {}
        if (opening := self._text[start]) not in "{[":
            return children
        offset = self._skip(start + 1)
        while self._text[offset] not in "}]":
            name: Step = len(children)
            value = offset
            if opening == "{":
                name, value = scanstring(self._text, offset + 1, True)
                value = self._skip(self._skip(value) + 1)  # behind the colon
            end = self._decode(self._text, value)[1]
            children[name] = Place(offset, end, value)
            offset = self._skip(end)
            if self._text[offset] == ",":
                offset = self._skip(offset + 1)
        return children

    def _skip(self, offset: int) -> int:
        space = _SPACE.match(self._text, offset)
        return space.end() if space else offset
