"""
Finds positions in any YAML document, from the nodes that PyYAML composes. ``block_places`` is faster, but supports only plain
block YAML.

This module does no I/O.
"""

from collections.abc import Iterator
from functools import cached_property

import yaml

from webhook.yaml.events import compose, end_of, last_node, start_of
from webhook.yaml.scalars import MERGE_TAG, ScalarError, key, plain, tagged
from webhook.yaml.text import Place, Step


def composed_place(text: str, base: int, start: int, end: int) -> Place:
    """
    Returns the place of the document between ``start`` and ``end``.

    PyYAML composes the text from ``base``, the start of the line, because the indentation of the root matters.
    """
    try:
        root = compose(text[base:end].encode())
    except (yaml.YAMLError, RecursionError):
        # happens only without libyaml, for a document that is deeper than any Kubernetes object
        return _ComposedPlace(text, base, start, end, None)
    return _place(text, base, root, root)


class _ComposedPlace:
    """The place of a node, or of a whole document if the places of its parts are unknown."""

    def __init__(self, text: str, base: int, start: int, end: int, node: yaml.Node | None) -> None:
        self.start = start
        self.end = end
        self._text = text
        self._base = base
        self._node = node

    def child(self, step: Step) -> Place | None:
        """Returns the member of a mapping or list. A merged key has the position where it is written."""
        return self._children.get(step)

    @cached_property
    def _children(self) -> dict[Step, Place]:
        return dict(self._members(self._node))

    def _members(self, node: yaml.Node | None) -> Iterator[tuple[Step, Place]]:
        if isinstance(node, yaml.SequenceNode):
            yield from enumerate(_place(self._text, self._base, item, item) for item in node.value)
        elif isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if _is_merge(name):
                    for mapping in reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]:
                        yield from self._members(mapping)
                else:
                    yield _name(name), _place(self._text, self._base, name, value)


def _place(text: str, base: int, first: yaml.Node, last: yaml.Node) -> Place:
    start = base + start_of(first)
    end = base + max(end_of(last_node(first)), end_of(last_node(last)))  # the value of an alias can end before the key
    return _ComposedPlace(text, base, start, start + len(text[start:end].rstrip()), last)


def _is_merge(node: yaml.ScalarNode) -> bool:
    return node.value == "<<" and (node.tag == MERGE_TAG or not (node.tag or node.style))


def _name(node: yaml.ScalarNode) -> str:
    try:
        if node.tag:
            return key(tagged(node.tag, node.value))
        return str(node.value) if node.style else key(plain(node.value))
    except (KeyError, ScalarError):  # this error does not occur, because the reader rejects such a key
        return str(node.value)
