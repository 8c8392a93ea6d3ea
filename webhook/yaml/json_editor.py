"""
Changes one JSON value in a text. All bytes outside the changed place remain unchanged. This module does no I/O.

The JSON decoder finds the places, because YAML limits the length of keys and reads surrogate pairs differently.
"""

import json

from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.yaml.json_places import JsonPlace

Change = tuple[int, int, str]
"""The first and last offset of the replaced text, and the new text."""


class JsonEditor:
    """
    Finds the change for one operation on the value that starts at ``start``. Raises LookupError if the key or list item is
    absent.
    """

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._root = JsonPlace(text, start, start)

    def put(self, path: FieldPath, value: Json) -> Change:
        """Sets the value of a key or list item."""
        parent = self._place(path[:-1])
        if path[-1] in parent.children:
            child = parent.children[path[-1]]
            return child.value, child.end, _dump(value)
        if self._text[parent.value] != "{":
            raise LookupError
        pair = f"{_dump(path[-1])}: {_dump(value)}"
        places = list(parent.children.values())
        if not places:
            at = parent.value + 1
            return at, at, pair
        between = self._text[places[-2].end : places[-1].start] if len(places) > 1 else self._leading(parent, places[0])
        return places[-1].end, places[-1].end, f"{between}{pair}"

    def _leading(self, parent: JsonPlace, first: JsonPlace) -> str:
        """Returns the separator before a second member, with the line break and indentation of the first member."""
        space = self._text[parent.value + 1 : first.start]
        return f",{space}" if space.strip(" ") else ", "

    def rename(self, path: FieldPath, key: str) -> Change:
        """Replaces a key, and keeps the value of the key."""
        place = self._place(path)
        return place.start, place.name_end, _dump(key)

    def remove(self, path: FieldPath) -> Change:
        """Removes a key or list item with its comma. Keeps a list or object that becomes empty."""
        parent = self._place(path[:-1])
        places = list(parent.children.values())
        index = places.index(parent.children[path[-1]])
        if index + 1 < len(places):
            return places[index].start, places[index + 1].start, ""
        if index:
            return places[index - 1].end, places[index].end, ""
        return parent.value + 1, parent.end - 1, ""

    def _place(self, path: FieldPath) -> JsonPlace:
        place = self._root
        for step in path:
            place = place.children[step]
        return place


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
