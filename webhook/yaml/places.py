"""
Positions in any YAML document, from a second, composing pass over its text.

It is imported where ``blockplaces`` does not see through a text. This file does no I/O.
"""

from collections.abc import Mapping
from typing import cast

import yaml

from webhook.yaml.events import Position, compose
from webhook.yaml.scalars import MERGE_TAG, ScalarError, key, plain, tagged
from webhook.yaml.text import OnePlace, Place, Places, Step


def composed(text: str, base: int, start: int, end: int) -> Places:
    """
    The positions of the document between ``start`` and ``end``.

    It is composed from ``base``: its root must keep its column, so that is where its line begins.
    """
    try:
        return YamlPlaces(text, base, end)
    except (yaml.YAMLError, RecursionError):  # only without libyaml, and far below any Kubernetes object
        return OnePlace(start, end)


class YamlPlaces:
    """Positions of what stands between two offsets."""

    def __init__(self, text: str, base: int, end: int) -> None:
        self._base = base
        self._text = text
        self._known: dict[int, dict[Step, Place]] = {}
        root = compose(text[self._base : end].encode())
        self.root = self._place(root, root)

    def within(self, place: Place) -> Mapping[Step, Place]:
        """The children of a mapping or list; those that a merge key brings stand where they were written."""
        return self._children(cast("yaml.Node", place.inside))

    def _children(self, node: yaml.Node) -> dict[Step, Place]:
        known = self._known.get(id(node))
        if known is not None:
            return known
        children: dict[Step, Place] = {}
        if isinstance(node, yaml.SequenceNode):
            children.update(enumerate(self._place(item, item) for item in node.value))
        elif isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if _is_merge(name):
                    self._merge(children, value)
                else:
                    children[_name(name)] = self._place(name, value)
        self._known[id(node)] = children
        return children

    def _merge(self, children: dict[Step, Place], value: yaml.Node) -> None:
        merged = reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]
        for mapping in merged:
            children.update(self._children(mapping))

    def _place(self, first: yaml.Node, last: yaml.Node) -> Place:
        start = _index(first.start_mark) + self._base
        end = max(self._end(first), self._end(last))  # an alias' value ends elsewhere, perhaps before its key
        return Place(start, start + len(self._text[start:end].rstrip()), last)

    def _end(self, node: yaml.Node) -> int:
        """Libyaml ends a block collection at the next token, behind any comment; its last value ends it here."""
        while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            node = node.value[-1] if isinstance(node, yaml.SequenceNode) else node.value[-1][1]
        return _index(node.end_mark) + self._base


def _index(mark: object) -> int:
    return cast("Position", mark).index


def _is_merge(node: yaml.ScalarNode) -> bool:
    return node.value == "<<" and (node.tag == MERGE_TAG or not (node.tag or node.style))


def _name(node: yaml.ScalarNode) -> str:
    try:
        if node.tag:
            return key(tagged(node.tag, node.value))
        return str(node.value) if node.style else key(plain(node.value))
    except (KeyError, ScalarError):  # refused by the reader before anyone could ask here
        return str(node.value)
