"""
Reads block YAML line by line, with the values that Kubernetes reads.

The module supports the forms of lines that nearly all manifests consist of (``line_forms``). For any other text it raises
UnclearError, and ``reader`` reads the text. Differential tests compare the two. This module does no I/O.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from webhook.yaml.brackets import read_brackets
from webhook.yaml.line_forms import (
    AWAITS,
    BLOCK_SCALAR,
    COMMENT,
    ESCAPED,
    FLOW,
    NO_MEMBER,
    OPEN,
    PLAIN,
    QUOTED,
    TYPED,
    forms,
    indentation,
    new_form,
    place_of,
)
from webhook.yaml.text import MAX_NODES, JsonValue, Parsed
from webhook.yaml.texts import UnclearError, block_scalar, plain_lines, quoted_lines, unescaped

MOST_DEEP: Final = 200
"""Maximum depth of mappings and lists. ``reader`` supports more."""
_ALLOWED: Final = bytes((0x09, 0x0A, *range(0x20, 0x7F)))
_ODD: Final = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]"
"""Characters that YAML does not allow, reads as the end of a line, or ignores."""
_AFTER_SEPARATOR: Final = r"[ \t]*(?:[ \t]#.*)?"
_CONTENT = re.compile(r"^ *[^ #\n]", re.MULTILINE)

Collection: TypeAlias = list[JsonValue] | dict[str, JsonValue]


def read_blocks(text: str, most_documents: int) -> list[Parsed] | None:
    """Returns the documents that are not empty, or None if ``reader`` must read the text."""
    if is_odd(text) or _most_nodes(text) > MAX_NODES:
        return None
    documents: list[Parsed] = []
    try:
        chunks = list(_chunks(text)) if "---" in text else [(0, len(text))]
        if len(chunks) > most_documents:
            return None
        for index, (begin, end) in enumerate(chunks):
            content = _CONTENT.search(text, begin, end)
            value = read_block(text[begin:end].split("\n")) if content is not None else None
            if content is not None and value is not None:
                documents.append(Parsed(value, index, content.end() - 1, end))
    except UnclearError:
        return None
    return documents


def is_odd(text: str) -> bool:
    """Whether the text has characters that only ``reader`` reads, or an end of a document."""
    odd = text.encode().translate(None, _ALLOWED) if text.isascii() else re.search(_ODD, text)
    return bool(odd) or "\n..." in text or text.startswith("...")


def read_block(lines: list[str]) -> JsonValue:  # noqa: PLR0915 - one flat loop, for speed
    """Returns the value of a document that is not odd. Raises UnclearError."""
    root: list[JsonValue] = [None]
    container: Collection = root
    members: dict[str, JsonValue] = {}  # the container, if it is a mapping
    stack: list[tuple[int, Collection, str]] = []
    here, name = place_of(-1, is_item=True), ""  # the place of the members of the container
    last = AWAITS  # the kind of the last member. QUOTED if the member is complete
    number, count, known = 0, len(lines), forms.get
    while number < count:
        line = lines[number]
        kind, place, dash, key, start, end, value = known(hash(line)) or new_form(line)
        if place != here:
            if place > here and last == AWAITS:
                new: Collection = [] if dash else {}
                if here & 1:
                    container[-1] = new  # type: ignore[index]
                else:
                    members[name] = new
                stack.append((here, container, name))
                if len(stack) > MOST_DEEP:
                    raise UnclearError
                here, container = place, new
            elif NO_MEMBER < place < here:
                while place < here:
                    here, container, name = stack.pop()
                if place != here:
                    raise UnclearError
            elif kind <= COMMENT:
                if kind == COMMENT and PLAIN <= last <= TYPED:  # a comment ends a plain scalar
                    last = QUOTED
                number += 1
                continue
            elif indentation(line) <= here >> 1:
                raise UnclearError
            elif PLAIN <= last <= TYPED:
                value, number, _ = plain_lines(lines, number, here >> 1)
                _replace(container, name, value)
                last = QUOTED
                continue
            elif last == AWAITS and stack and kind <= TYPED:  # a scalar below its key
                _replace(container, name, value if kind == TYPED else line[start:end])
                last = kind
                number += 1
                continue
            else:
                raise UnclearError
            if not dash:
                members = container  # type: ignore[assignment]
        last = kind
        number += 1
        if kind <= PLAIN:
            value = line[start:end]
        elif kind > AWAITS:
            own = (here >> 1) + dash if key is not None else here >> 1  # the column of its mapping or list
            if kind == BLOCK_SCALAR:
                value, number = block_scalar(lines, number, own, str(value))
            elif kind == FLOW:
                value = read_brackets(line[start:end])
            elif kind == ESCAPED:
                value = unescaped(line[start:end])
            elif kind == OPEN:
                value, number, _ = quoted_lines(lines, number, start, own)
        if key is None:
            container.append(value)  # type: ignore[union-attr]
        elif not dash:
            if key in members:
                raise UnclearError
            members[key] = value
            name = key
        else:
            stack.append((here, container, name))
            here, members = here - 1 + 2 * dash, {key: value}
            container.append(members)  # type: ignore[union-attr]
            container, name = members, key
    return root[0]


def _replace(container: Collection, name: str, value: JsonValue) -> None:
    """Replaces the value of the last member."""
    if isinstance(container, list):
        container[-1] = value
    else:
        container[name] = value


def _most_nodes(text: str) -> int:
    """Returns a number of nodes that the text cannot exceed. A line has at most three nodes outside of brackets."""
    if len(text) <= MAX_NODES:
        return len(text)
    return 3 * text.count("\n") + 2 * (text.count(",") + text.count("[") + text.count("{")) + 3


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each document in the stream, without the separators. Raises UnclearError."""
    begin = 0
    separator = 0 if text.startswith("---") else text.find("\n---") + 1 or -1
    while separator >= 0:
        line = text.find("\n", separator)
        after = line if line >= 0 else len(text)
        rest = text[separator + 3 : after]
        if rest and re.fullmatch(_AFTER_SEPARATOR, rest) is None:
            raise UnclearError
        if begin or _CONTENT.search(text, 0, separator):  # content before the first --- is a document
            yield begin, separator
        begin = after
        separator = text.find("\n---", after) + 1 or -1
    yield begin, len(text)
