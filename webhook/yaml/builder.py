"""
Values from libyaml's events, as go-yaml makes them from the same events: without recursion, and within limits.

This file does no I/O.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from webhook.errors import BadInput
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
from webhook.yaml.go_differences import as_go_reads, is_mostly_repeated, may_refuse
from webhook.yaml.json_reader import MAX_DEPTH, MAX_NODES, has_nul, stands_twice, too_deep, too_many
from webhook.yaml.scalars import (
    MERGE_TAG,
    NUMERIC,
    PREFIX,
    WORDS,
    Scalar,
    ScalarError,
    json_number,
    key,
    plain,
    tagged,
)
from webhook.yaml.text import RENDER, JsonValue, Step, Text, shown

MAX_ALIASES: Final = 1_000

_MAPPING_TAGS: Final = (None, "!", PREFIX + "map")
_SEQUENCE_TAGS: Final = (None, "!", PREFIX + "seq")
_NUL_ESCAPE = re.compile(r"\\(?:0|x00|u0000|U00000000)")


class _Merge(Enum):
    """The key ``<<``, unquoted: the keys of its value are copied into the mapping around it."""

    KEY = "<<"


_Key: TypeAlias = str | _Merge
# What is set aside while a mapping or list is read: the items or members around it, the key it belongs to, the keys
# written so far and where (None: a list is around it), its anchor, and the count of nodes before it.
_Frame: TypeAlias = "tuple[list[JsonValue], dict[str, JsonValue], _Key | None, dict[_Key, int] | None, str | None, int]"


class _Anchor(NamedTuple):
    scalar: Scalar  # as go-yaml resolved it: a key is spelt from this, not from the JSON value
    collection: JsonValue  # None for a scalar
    nodes: int
    more: int  # go-yaml's count is that of our nodes and this: see Builder._more


def _is_marked(event: Event) -> bool:
    return event.tag is not None or event.anchor is not None or event.style == '"'


class Builder:
    """Reads one YAML stream; ``yaml.YAMLError`` where it is not YAML, ``BadInput`` where Kubernetes would not have it."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._next = events(text.text.encode())
        if may_refuse(text.text):
            self._next = as_go_reads(self._next, text)
        self._index = -1
        self._nodes = 0
        self._aliases = 0
        self._first = 0  # the nodes of the documents before
        self._more = 0  # go-yaml counts an alias beside what it repeats, and does not count the key of a merge
        self._repeats = 0  # what aliases repeat, in go-yaml's count
        self._more_before: list[int] = []  # of each mapping or list that is open and has an anchor
        self._excess: Event | None = None  # the alias at which go-yaml gives up
        self._anchors: dict[str, _Anchor | None] = {}  # None while the anchored mapping or list is open
        self._stack: list[_Frame] = []
        # Most files have neither tag nor anchor nor "\\0": then no event needs to be asked.
        self._marked = any(sign in text.text for sign in "!&") or _NUL_ESCAPE.search(text.text) is not None

    def documents(self) -> Iterator[tuple[JsonValue, int, int]]:
        """Each document's value (None if it is empty), its first offset and its last."""
        while True:
            event = self._next()
            if event.__class__ is DOCUMENT_START:
                self._index += 1
                self._aliases = self._more = self._repeats = 0
                self._first = self._nodes
                self._excess = None
                self._anchors.clear()
                self._stack.clear()
                self._more_before.clear()
                if event.version or event.tags:
                    raise self._refuse("kubectl reads no directives", "Remove the line that begins with '%'.", event)
                yield self._document()
            elif event.__class__ is STREAM_END:
                return

    def _document(self) -> tuple[JsonValue, int, int]:  # noqa: PLR0915  # one flat loop: all the time is spent here
        """The events of one document up to its end."""
        following, stack, marked = self._next, self._stack, self._marked
        root: list[JsonValue] = []
        items, members = root, dict[str, JsonValue]()
        name: _Key | None = None
        names: dict[_Key, int] | None = None
        start: int | None = None
        value: JsonValue
        while True:
            event = following()
            kind = event.__class__
            if start is None:
                start = event.start_mark.index
            if names is not None and name is None and kind is not MAPPING_END:
                self._nodes += 1
                name = event.value if kind is SCALAR else None
                if name is None or name in WORDS or name[:1] in NUMERIC or (marked and _is_marked(event)):
                    name = self._key(event)
                offset = event.start_mark.index
                if names.setdefault(name, offset) != offset and name is not _Merge.KEY:
                    raise self._twice(name, names[name], offset)
                continue
            if kind is SCALAR:
                self._nodes += 1
                value = event.value
                if value in WORDS or value[:1] in NUMERIC or (marked and _is_marked(event)):
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
                if self._excess is not None:  # not before: what is too much for anybody is to be called so
                    raise self._too_repetitive(self._excess)
                return root[0], start, event.start_mark.index
            else:
                value = items if names is None else members
                items, members, name, names, anchor, before = stack.pop()
                if anchor is not None:
                    self._close(anchor, value, self._nodes - before + 1)
            if self._nodes > MAX_NODES:
                raise too_many(self._text, start, self._index)
            if names is None:
                items.append(value)
            elif isinstance(name, str):
                members[name] = value
            else:
                self._merge(members, value, event)
            name = None

    def _close(self, anchor: str, value: JsonValue, nodes: int) -> None:
        """The end of an anchored mapping or list."""
        more = self._more - self._more_before.pop()
        if self._anchors[anchor] is None:  # else the name was given anew inside
            self._anchors[anchor] = _Anchor(None, value, nodes, more)

    def _key(self, event: Event) -> _Key:
        """The name of the next member, which may be more than its text."""
        if event.__class__ is ALIAS:
            anchor = self._alias(event)
            if anchor.collection is not None:
                raise self._complex_key(event)
            scalar = anchor.scalar
        elif event.__class__ is SCALAR:
            scalar = self._scalar(event)
            if event.value == "<<" and (event.tag == MERGE_TAG or event.implicit[0]):
                self._more -= 1
                return _Merge.KEY
        else:
            raise self._complex_key(event)
        try:
            return key(scalar)
        except ScalarError as error:
            raise self._refuse(str(error), "Put quotes around the key.", event) from None

    def _twice(self, name: _Key, first: int, second: int) -> BadInput:
        path = [*self._path(), str(name)]
        return stands_twice(self._text, str(name), first, second, self._index, path)

    def _scalar(self, event: Event) -> Scalar:
        """A scalar that may be more than its text, in go-yaml's types."""
        scalar: Scalar = event.value
        try:
            if event.tag is None:
                scalar = event.value if event.style else plain(event.value)
            elif event.tag != MERGE_TAG:
                scalar = tagged(event.tag, event.value)
        except KeyError:
            raise self._unknown_tag(event) from None
        except ScalarError as error:
            raise self._refuse(str(error), "Remove the tag, or make the value agree with it.", event) from None
        if isinstance(scalar, str) and "\0" in scalar:
            raise has_nul(self._text, event.start_mark.index, self._index, self._path())
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(scalar, None, 1, 0)
        return scalar

    def _value(self, scalar: Scalar, event: Event) -> JsonValue:
        if scalar.__class__ is str or scalar is None or isinstance(scalar, bool | str):
            return scalar
        try:
            return json_number(scalar)
        except ScalarError as error:
            raise self._refuse(str(error), "Put quotes around it if text is meant.", event) from None

    def _open(self, event: Event) -> None:
        """The beginning of a mapping or list that has a tag or an anchor, or is too deep."""
        if len(self._stack) > MAX_DEPTH:
            raise too_deep(self._text, event.start_mark.index, self._index, self._path())
        if event.tag not in (_MAPPING_TAGS if event.__class__ is MAPPING_START else _SEQUENCE_TAGS):
            raise self._unknown_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
            self._more_before.append(self._more)

    def _alias(self, event: Event) -> _Anchor:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise self._refuse(f"more than {MAX_ALIASES:,} aliases", "Write out what the aliases repeat.", event)
        wanted = event.anchor or ""
        name = shown(wanted)
        if wanted not in self._anchors:
            raise self._refuse(f"alias {name} has no anchor above it", "Put '&' and its name before a value.", event)
        anchor = self._anchors[wanted]
        if anchor is None:
            raise self._refuse(f"anchor {name} contains itself", "Write out what the alias repeats.", event)
        self._nodes += anchor.nodes
        self._more += anchor.more
        self._repeats += anchor.nodes + anchor.more
        if self._excess is None and is_mostly_repeated(self._repeats, 1 + self._nodes - self._first + self._more):
            self._excess = event
        return anchor

    def _repeated(self, event: Event) -> JsonValue:
        self._more += 1
        anchor = self._alias(event)
        return self._value(anchor.scalar, event) if anchor.collection is None else anchor.collection

    def _merge(self, members: dict[str, JsonValue], value: JsonValue, event: Event) -> None:
        """
        go-yaml copies in the order of the text: what stands later wins, be it a member or a merge.

        Of several mappings in a list the first wins; a list must be written in place, not given by an alias.
        """
        mappings = [value]
        if isinstance(value, list) and event.__class__ is not ALIAS:
            mappings = value[::-1]
            self._more -= 1
        for mapping in mappings:
            if not isinstance(mapping, dict):
                raise self._refuse("the merge key << wants a mapping or a list of them", "Give '<<: *anchor'.", event)
            members.update(mapping)

    def _path(self) -> list[Step]:
        """The path of the mapping or list that is being read."""
        return [len(items) if names is None else str(name) for items, _, name, names, _, _ in self._stack[1:]]

    def _complex_key(self, event: Event) -> BadInput:
        is_template = "{{" in self._text.text
        remedy = (
            RENDER if is_template else "Use text as the key; put quotes around what begins with a bracket or brace."
        )
        return self._refuse("a key is a mapping or a list", remedy, event)

    def _too_repetitive(self, event: Event) -> BadInput:
        message = "kubectl refuses a document of which aliases make nearly everything"
        return self._text.refuse(
            message, "Write out what the aliases repeat.", event.start_mark.index, document=self._index
        )

    def _unknown_tag(self, event: Event) -> BadInput:
        tag = (event.tag or "").replace(PREFIX, "!!", 1)
        return self._refuse(f"tag {shown(tag)} is not for this value in Kubernetes", "Remove the tag.", event)

    def _refuse(self, message: str, remedy: str, event: Event) -> BadInput:
        offset = event.start_mark.index
        return self._text.refuse(message, remedy, offset, document=self._index, path=self._path())
