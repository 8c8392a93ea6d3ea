"""
Finds positions in any YAML document, from the nodes that PyYAML composes. The docstring of ``places`` explains when this module
is used.

This module does no I/O.
"""

from typing import cast

import yaml

from webhook.yaml.events import Position, compose
from webhook.yaml.scalars import MERGE_TAG, ScalarError, key, plain, tagged
from webhook.yaml.text import OnePlace, Place, Places, Step


def composed_places(text: str, base: int, start: int, end: int) -> Places:
    """
    Returns the positions in the document between ``start`` and ``end``.

    PyYAML composes the text from ``base``, the start of the line, because the indentation of the root matters.
    """
    try:
        return ComposedPlaces(text, base, end)
    except (yaml.YAMLError, RecursionError):
        # happens only without libyaml, for a document that is deeper than any Kubernetes object
        return OnePlace(start, end)


class ComposedPlaces:
    """Finds the positions in the document between two offsets."""

    def __init__(self, text: str, base: int, end: int) -> None:
        self._base = base
        self._text = text
        self._children_of: dict[int, dict[Step, Place]] = {}
        root = compose(self._text[self._base : end].encode())
        self.root = self._place(root, root)

    def child(self, place: Place, step: Step) -> Place | None:
        """Returns the member of a mapping or list. A merged key has the position where it is written."""
        return self._children(cast("yaml.Node", place.inside)).get(step)

    def _children(self, node: yaml.Node) -> dict[Step, Place]:
        known = self._children_of.get(id(node))
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
        self._children_of[id(node)] = children
        return children

    def _merge(self, children: dict[Step, Place], value: yaml.Node) -> None:
        mappings = reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]
        for mapping in mappings:
            children.update(self._children(mapping))

    def _place(self, first: yaml.Node, last: yaml.Node) -> Place:
        start = _index(first.start_mark) + self._base
        end = max(self._end(first), self._end(last))  # the value of an alias can end before the key
        return Place(start, start + len(self._text[start:end].rstrip()), last)

    def _end(self, node: yaml.Node) -> int:
        """Returns the end of the last value, because libyaml ends a block collection only at the next token, after comments."""
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
    except (KeyError, ScalarError):  # this error does not occur, because the reader rejects such a key
        return str(node.value)
