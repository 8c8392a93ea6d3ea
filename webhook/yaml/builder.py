"""
Builds values from libyaml events with go-yaml v2 semantics. Iterative and bounded. This module does no I/O.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from webhook.errors import BadInput
from webhook.objects.shown import shown
from webhook.yaml.events import (
    ALIAS,
    DOCUMENT_END,
    DOCUMENT_START,
    MAPPING_END,
    MAPPING_START,
    SCALAR,
    SEQUENCE_START,
    STREAM_END,
    Event,
    events,
)
from webhook.yaml.go_differences import as_go_yaml, is_mostly_repeated
from webhook.yaml.json_reader import duplicate_key, has_nul, too_deep, too_many
from webhook.yaml.scalars import (
    MERGE_TAG,
    PREFIX,
    Scalar,
    ScalarError,
    json_value,
    key,
    plain,
    tagged,
)
from webhook.yaml.text import MAX_DEPTH, MAX_NODES, RENDER, JsonValue, Step, Text

MAX_ALIASES: Final = 1_000


class _Merge(Enum):
    """The unquoted key ``<<``. The keys of its value are copied into the mapping that contains ``<<``."""

    KEY = "<<"


_Key: TypeAlias = str | _Merge
# The state of an outer mapping or list while an inner mapping or list is read. The state contains the items or members so far,
# the current key, and the keys so far with their offsets (None for a list). The last two values are the anchor of the inner
# mapping or list, and the number of nodes before it.
_Frame: TypeAlias = "tuple[list[JsonValue], dict[str, JsonValue], _Key | None, dict[_Key, int] | None, str | None, int]"


class _Anchor(NamedTuple):
    scalar: Scalar
    """The value as go-yaml resolves it, because keys are made from this value and not from the JSON value."""
    collection: JsonValue
    """The JSON value of a mapping or list, or None for a scalar."""
    nodes: int
    extra: int  # The nodes that go-yaml counts in addition (see Builder._extra).


class Builder:
    """Reads one YAML stream. Raises ``yaml.YAMLError`` for invalid YAML, and ``BadInput`` for YAML that Kubernetes rejects."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._next_event = as_go_yaml(events(text.text.encode()), text)
        self._index = -1
        self._nodes = 0
        self._most_nodes = max(MAX_NODES, len(text.text) // 10)  # the same limit as ``most_nodes``
        self._aliases = 0
        self._nodes_before = 0  # Nodes in earlier documents.
        self._extra = 0  # Nodes that only go-yaml counts: it counts each alias itself, but not a merge key.
        self._repeats = 0  # Nodes that aliases repeat, as go-yaml counts them.
        self._extra_before: list[int] = []  # Values of _extra, one for each open mapping or list with an anchor.
        self._excess: Event | None = None  # The alias at which go-yaml reports excessive aliasing.
        self._anchors: dict[str, _Anchor | None] = {}
        """The value is None while the mapping or list with the anchor is open."""
        self._stack: list[_Frame] = []

    def documents(self) -> Iterator[tuple[JsonValue, int, int]]:
        """Yields the value of each document (None for an empty document), with the first and last offset of the document."""
        while True:
            event = self._next_event()
            if event.__class__ is DOCUMENT_START:
                self._index += 1
                self._aliases = self._extra = self._repeats = 0
                self._nodes_before = self._nodes
                self._excess = None
                self._anchors.clear()
                self._stack.clear()
                self._extra_before.clear()
                if event.version or event.tags:
                    raise self._error(
                        "YAML directive, which kubectl does not support", "Remove the line that starts with '%'.", event
                    )
                yield self._document()
            elif event.__class__ is STREAM_END:
                return

    def _document(self) -> tuple[JsonValue, int, int]:  # noqa: PLR0915 - one flat loop over the events
        """Reads the events of one document up to its end."""
        next_event, stack = self._next_event, self._stack
        root: list[JsonValue] = []
        items, members = root, dict[str, JsonValue]()
        name: _Key | None = None
        names: dict[_Key, int] | None = None
        start: int | None = None
        value: JsonValue
        while True:
            event = next_event()
            kind = event.__class__
            if start is None:
                start = event.start_mark.index
            if names is not None and name is None and kind is not MAPPING_END:
                self._nodes += 1
                name = self._key(event)
                offset = event.start_mark.index
                if names.setdefault(name, offset) != offset and name is not _Merge.KEY:
                    path = [*self._path(), str(name)]
                    raise duplicate_key(self._text, str(name), names[name], offset, self._index, path)
                continue
            if kind is SCALAR:
                self._nodes += 1
                value = self._value(self._scalar(event), event)
            elif kind is MAPPING_START or kind is SEQUENCE_START:
                self._nodes += 1
                stack.append((items, members, name, names, event.anchor, self._nodes))
                if event.tag is not None or event.anchor is not None or len(stack) > MAX_DEPTH:
                    self._open(event)
                name = None
                if kind is MAPPING_START:
                    members, names = {}, {}
                else:
                    items, names = [], None
                continue
            elif kind is ALIAS:
                value = self._repeated(event)
            elif kind is DOCUMENT_END:
                if self._excess is not None:  # reported last, because the errors of the other limits are clearer
                    message = "excessive aliasing: kubectl rejects a document that consists mostly of aliases"
                    raise self._error(message, "Replace aliases with their values.", self._excess)
                return root[0], start, event.start_mark.index
            else:
                value = items if names is None else members
                items, members, name, names, anchor, before = stack.pop()
                if anchor is not None:
                    self._close(anchor, value, self._nodes - before + 1)
            if self._nodes > self._most_nodes:
                raise too_many(self._text, start, self._index)
            if names is None:
                items.append(value)
            elif isinstance(name, str):
                members[name] = value
            else:
                self._merge(members, value, event)
            name = None

    def _close(self, anchor: str, value: JsonValue, nodes: int) -> None:
        """Records the end of a mapping or list that has an anchor."""
        extra = self._extra - self._extra_before.pop()
        if self._anchors[anchor] is None:  # otherwise the anchor was redefined inside the mapping or list
            self._anchors[anchor] = _Anchor(None, value, nodes, extra)

    def _key(self, event: Event) -> _Key:
        """Returns the name of the next member. The key might not be a plain string."""
        if event.__class__ is ALIAS:
            anchor = self._alias(event)
            if anchor.collection is not None:
                raise self._complex_key(event)
            scalar = anchor.scalar
        elif event.__class__ is SCALAR:
            scalar = self._scalar(event)
            if event.value == "<<" and (event.tag == MERGE_TAG or event.implicit[0]):
                self._extra -= 1
                return _Merge.KEY
        else:
            raise self._complex_key(event)
        try:
            return key(scalar)
        except ScalarError as error:
            raise self._error(str(error), "Quote the key.", event) from None

    def _scalar(self, event: Event) -> Scalar:
        """Returns the value that go-yaml reads from a scalar. The scalar might not be a plain string."""
        scalar: Scalar = event.value
        try:
            if event.tag is None:
                scalar = event.value if event.style else plain(event.value)
            elif event.tag != MERGE_TAG:
                scalar = tagged(event.tag, event.value)
        except KeyError:
            raise self._unknown_tag(event) from None
        except ScalarError as error:
            raise self._error(str(error), "Remove the tag, or correct the value.", event) from None
        if isinstance(scalar, str) and "\0" in scalar:
            raise has_nul(self._text, event.start_mark.index, self._index, self._path())
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(scalar, None, 1, 0)
        return scalar

    def _value(self, scalar: Scalar, event: Event) -> JsonValue:
        try:
            return json_value(scalar)
        except ScalarError as error:
            raise self._error(str(error), "Quote the value if it is a string.", event) from None

    def _open(self, event: Event) -> None:
        """Checks the start of a mapping or list that has a tag or an anchor, or is too deep."""
        if len(self._stack) > MAX_DEPTH:
            raise too_deep(self._text, event.start_mark.index, self._index, self._path())
        if event.tag not in (None, "!", PREFIX + ("map" if event.__class__ is MAPPING_START else "seq")):
            raise self._unknown_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
            self._extra_before.append(self._extra)

    def _alias(self, event: Event) -> _Anchor:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._error(f"more than {MAX_ALIASES:,} aliases", "Replace aliases with their values.", event)
        anchor_name = event.anchor or ""
        name = shown(anchor_name)
        if anchor_name not in self._anchors:
            raise self._error(
                f"alias {name} has no anchor before it", "Write the anchor before the value: '&name value'.", event
            )
        anchor = self._anchors[anchor_name]
        if anchor is None:
            raise self._error(f"anchor {name} contains itself", "Replace the alias with a value.", event)
        self._nodes += anchor.nodes
        self._extra += anchor.extra
        self._repeats += anchor.nodes + anchor.extra
        if self._excess is None and is_mostly_repeated(
            self._repeats, 1 + self._nodes - self._nodes_before + self._extra
        ):
            self._excess = event
        return anchor

    def _repeated(self, event: Event) -> JsonValue:
        self._extra += 1
        anchor = self._alias(event)
        return self._value(anchor.scalar, event) if anchor.collection is None else anchor.collection

    def _merge(self, members: dict[str, JsonValue], value: JsonValue, event: Event) -> None:
        """
        Copies the members of merged mappings. As in go-yaml, the last definition of a key in the text wins.

        In a list of mappings, the first mapping with a key wins. The list must be written in place, because an alias to a list
        is an error.
        """
        mappings = [value]
        if isinstance(value, list) and event.__class__ is not ALIAS:
            mappings = value[::-1]
            self._extra -= 1
        for mapping in mappings:
            if not isinstance(mapping, dict):
                raise self._error(
                    "the value of merge key << is neither a mapping nor a list of mappings",
                    "Write '<<: *anchor'.",
                    event,
                )
            members.update(mapping)

    def _path(self) -> list[Step]:
        """Returns the path of the mapping or list that is being read."""
        return [len(items) if names is None else str(name) for items, _, name, names, _, _ in self._stack[1:]]

    def _complex_key(self, event: Event) -> BadInput:
        is_template = "{{" in self._text.text
        remedy = RENDER if is_template else "Use a string as the key. Quote a key that starts with a bracket or brace."
        return self._error("mapping or list as a key", remedy, event)

    def _unknown_tag(self, event: Event) -> BadInput:
        tag = (event.tag or "").replace(PREFIX, "!!", 1)
        return self._error(f"tag {shown(tag)} is not supported for this value", "Remove the tag.", event)

    def _error(self, message: str, remedy: str, event: Event) -> BadInput:
        offset = event.start_mark.index
        return self._text.error(message, remedy, offset, document=self._index, path=self._path())
