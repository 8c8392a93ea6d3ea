"""
Selects a parser of PyYAML. The parser is in C, or in Python if PyYAML was built without libyaml. The parser in Python produces
the same events and is ten times slower.
"""

from collections.abc import Callable
from typing import Final, Protocol, cast

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

# The kind of an event is its class.
SCALAR: Final[type] = yaml.ScalarEvent
ALIAS: Final[type] = yaml.AliasEvent
MAPPING_START: Final[type] = yaml.MappingStartEvent
MAPPING_END: Final[type] = yaml.MappingEndEvent
SEQUENCE_START: Final[type] = yaml.SequenceStartEvent
SEQUENCE_END: Final[type] = yaml.SequenceEndEvent
DOCUMENT_START: Final[type] = yaml.DocumentStartEvent
DOCUMENT_END: Final[type] = yaml.DocumentEndEvent
STREAM_END: Final[type] = yaml.StreamEndEvent


class Position(Protocol):
    """A place in the text, in characters from the start."""

    index: int


class Event(Protocol):
    """The attributes of PyYAML's events. The class of an event determines which attributes exist."""

    start_mark: Position
    end_mark: Position
    value: str
    style: str | None  # for a plain scalar, the parser in C returns "" and the parser in Python None
    tag: str | None
    anchor: str | None
    flow_style: bool  # Whether a mapping or list is in braces or brackets.
    implicit: tuple[bool, bool]  # Whether a scalar is plain without a tag, and whether it has the tag "!".
    version: tuple[int, int] | None
    tags: dict[str, str] | None


class _Untagged:
    """Leaves the tag of a node empty unless the text contains a tag, because PyYAML and Kubernetes resolve tags differently."""

    def resolve(self, _kind: type, _value: object, _implicit: object) -> str:
        return ""

    def descend_resolver(self, _parent: object, _index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


class PureParser(_Untagged, Reader, Scanner, Parser, Composer):
    """The parser of PyYAML in Python."""

    def __init__(self, stream: bytes) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs do not export it
except ImportError:
    YamlParser: type = PureParser
else:

    class _CParser(_Untagged, CParser):
        pass

    YamlParser = _CParser


def events(content: bytes) -> Callable[[], Event]:
    """Returns a function that returns the next event at each call. The function raises ``yaml.YAMLError``."""
    return cast("Callable[[], Event]", YamlParser(content).get_event)


def compose(content: bytes) -> yaml.Node:
    """Returns the root node of the only document."""
    return cast("yaml.Node", YamlParser(content).get_single_node())


def start_of(node: yaml.Node) -> int:
    """Returns the offset of the start of a node in the text that was composed."""
    return cast("Position", node.start_mark).index


def end_of(node: yaml.Node) -> int:
    """Returns the offset after a node in the text that was composed."""
    return cast("Position", node.end_mark).index


def last_node(node: yaml.Node) -> yaml.Node:
    """Returns the last value of a node, because libyaml ends a block collection only at the next token, after comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1] if isinstance(node, yaml.SequenceNode) else node.value[-1][1]
    return node
