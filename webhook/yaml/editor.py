"""
Applies a JSON Patch to the text of a manifest. Comments, order, style and all other bytes remain unchanged.

The new text is read again before it is returned. The new text must have exactly the patched value, and the other documents must
be unchanged. If that is not possible (anchors, merge keys, unusual layout), the result is a ``BadInput``. This module does no
I/O.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from webhook.errors import BadInput
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.objects.whole_number import whole_number
from webhook.yaml import writer
from webhook.yaml.document import MAX_BYTES, Document, move_inner_boms, read_documents
from webhook.yaml.events import compose, end_of, last_node, start_of
from webhook.yaml.json_editor import Change, JsonEditor

_BOM = b"\xef\xbb\xbf"
_FLOW = re.compile(r"[\[\]{},]")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|\Z))+")
"""Matches the anchor and the tag before a value."""
_BLOCK = re.compile(r"([|>]\d?)[+-]?(\d?[^\n]*\n)([ ]+)(?=\S)")
"""Matches the header of a block scalar, and the indentation of its first line."""
_REMEDY = "Make the change by hand."

Operation = Mapping[str, Any]


def patch_text(content: bytes, source: str, document: int, at: FieldPath, patch: Sequence[Operation]) -> bytes:
    """
    Returns the manifest with ``patch`` applied to the object at ``at`` in one document (see ``Document.index``).

    Raises BadInput if the patch does not match the object, or if the patch cannot be written without other changes.
    """
    for operation in patch:
        content = _apply(content, source, document, at, operation)
    return content


def _apply(content: bytes, source: str, index: int, at: FieldPath, operation: Operation) -> bytes:
    documents = read_documents(content, source, most_bytes=max(MAX_BYTES, len(content)))
    document = next((candidate for candidate in documents if candidate.index == index), None)
    if document is None:
        raise _cannot(source, "the document no longer exists")
    expected = patched(document.value, at, operation)
    if operation["op"] == "test":
        return content
    bom = _BOM if content.startswith(_BOM) else b""
    text = content.removeprefix(_BOM).decode()
    try:
        start, end, new = _change(text, document, at, operation)
        written = bom + f"{text[:start]}{new}{text[end:]}".encode()
        again = read_documents(written, source, most_bytes=max(MAX_BYTES, len(written)))
    except (BadInput, yaml.YAMLError, ValueError, LookupError):
        raise _cannot(source, "the field cannot be changed without changing other fields") from None
    values = {document.index: document.value for document in documents} | {index: expected}
    if {document.index: document.value for document in again} != values:
        raise _cannot(source, "the field cannot be changed without changing other fields")
    return written


def _cannot(source: str, message: str) -> BadInput:
    return BadInput(message, remedy=_REMEDY, source=source)


def patched(value: Json, at: FieldPath, operation: Operation) -> Json:
    """
    Returns a copy of ``value`` after one operation on the part at ``at``. Raises BadInput if the operation does not match the
    value.
    """
    whole = _copy(value)
    try:
        path = _path(whole, at, operation["path"])
        parent = _part(whole, path[:-1])
        match operation["op"]:
            case "test":
                if _part(whole, path) != operation["value"]:
                    raise LookupError
            case "remove":
                del parent[path[-1]]
            case "replace" | "add":
                parent[path[-1]] = _copy(operation["value"])
            case "move":
                origin = _path(whole, at, operation["from"])
                parent[path[-1]] = _part(whole, origin)
                del _part(whole, origin[:-1])[origin[-1]]
            case other:
                raise _cannot("", f"unknown patch operation {other!r}")
    except (LookupError, TypeError):
        raise _cannot("", "the patch does not match the object") from None
    return whole


def _copy(value: Json) -> Json:
    """Returns a copy in which aliases share no parts with their anchor."""
    if isinstance(value, dict):
        return {key: _copy(member) for key, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _part(value: Any, path: FieldPath) -> Any:  # noqa: ANN401 - JSON
    for step in path:
        value = value[step]
    return value


def steps_of(pointer: str, value: Json) -> FieldPath:
    """Converts a JSON pointer to a path into ``value``. A number is an index if ``value`` has a list at this place."""
    steps: list[str | int] = []
    for word in pointer.split("/")[1:]:
        key = word.replace("~1", "/").replace("~0", "~")
        index = whole_number(key) if isinstance(value, list) else None
        step: str | int = key if index is None else index
        steps.append(step)
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return tuple(steps)


def _path(whole: Json, at: FieldPath, pointer: str) -> FieldPath:
    return (*at, *steps_of(pointer, _part(whole, at)))


def _change(text: str, document: Document, at: FieldPath, operation: Operation) -> Change:
    """Returns the change of the text for one operation that matches the value. Raises LookupError if there is none."""
    editor = JsonEditor(text, document.extent[0]) if document.is_json else _YamlEditor(text, document)
    path = _path(document.value, at, operation["path"])
    match operation["op"]:
        case "remove":
            return editor.remove(path)
        case "move":
            return editor.rename(_path(document.value, at, operation["from"]), str(path[-1]))
        case _:
            return editor.put(path, operation["value"])


class _YamlEditor:
    """Finds the change for one operation on a YAML document, as ``JsonEditor`` does for JSON."""

    def __init__(self, text: str, document: Document) -> None:
        start, end = document.extent
        self._base = text.rfind("\n", 0, start) + 1  # where the part that PyYAML composes begins
        self._text = move_inner_boms(text)[:end]
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._root = compose(self._text[self._base :].encode())

    def rename(self, path: FieldPath, key: str) -> Change:
        """Replaces a key, and keeps the value of the key."""
        node, _ = self._pair(self._node(path[:-1]), path[-1])
        return self._replaced(node, key, flow=True)

    def _node(self, path: FieldPath) -> yaml.Node:
        node = self._root
        for step in path:
            node = self._pair(node, step)[1]
        return node

    def _pair(self, node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node]:
        """
        Returns the nodes of a key and its value, or twice the node of a list item. Raises LookupError if the key or item is not
        in this text.
        """
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            return node.value[step], node.value[step]
        if isinstance(node, yaml.MappingNode):
            members = [(key, value) for key, value in node.value if key.value == step]
            if len(members) == 1:
                key, value = members[0]
                if start_of(value) < end_of(key):
                    raise LookupError  # an alias, whose value is in another place
                return key, value
        raise LookupError

    def put(self, path: FieldPath, value: Json) -> Change:
        """Sets the value of a key or list item."""
        parent = self._node(path[:-1])
        try:
            key, node = self._pair(parent, path[-1])
        except LookupError:
            return self._added(parent, str(path[-1]), value)
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            if key is node:
                raise LookupError
            return self._end(key), self._true_end(node), f": {self._inline(value, flow=False)}"
        return self._replaced(node, value, flow=bool(getattr(parent, "flow_style", False)))

    def _replaced(self, node: yaml.Node, value: Json, *, flow: bool) -> Change:
        """Replaces a scalar or flow collection. The anchor remains. A string also keeps its tag, quotes and block style."""
        start, end = self._start(node), self._end(node)
        style = getattr(node, "style", None)
        if style in ("|", ">"):  # a block scalar ends at the start of the next line, which can be a comment
            end = start + len(self._text[start:end].rstrip())
        properties = _PROPERTIES.match(self._text, start, end)
        content = properties.end() if properties else start
        if isinstance(value, str) and style in ("'", '"', "|", ">"):
            new = _in_style(self._text[content:end], style, value)
            if new is not None:
                return content, end, new
        new = self._inline(value, flow=flow)
        if properties and not isinstance(value, str):
            new = "".join(word for word in re.findall(r"&\S+\s+", properties[0])) + new
            content = start
        return content, end, f" {new}" if content == end else new

    def _added(self, parent: yaml.Node, key: str, value: Json) -> Change:
        if not isinstance(parent, yaml.MappingNode) or (not parent.value and not parent.flow_style):
            raise LookupError
        flow = bool(parent.flow_style)
        pair = f"{self._inline(key, flow=flow)}: {self._inline(value, flow=flow)}"
        if parent.flow_style:
            if not parent.value:
                at = self._start(parent) + 1
                return at, at, pair
            at = self._true_end(parent.value[-1][1])
            return at, at, f", {pair}"
        first, last = parent.value[0][0], parent.value[-1][1]
        indent = " " * self._column(self._start(first))
        merges = [member for member in parent.value if member[0].value == "<<"]
        if merges:  # in API servers, a merge key overrides the members before it
            merge, origin = merges[-1]
            end = self._line_end(
                max(self._end(merge), self._true_end(origin) if self._start(origin) > self._end(merge) else 0)
            )
            return end, end, f"{self._newline}{indent}{pair}"
        is_short = not isinstance(last, yaml.CollectionNode) or bool(last.flow_style)
        if is_short and getattr(last, "style", None) not in ("|", ">"):
            end = self._line_end(self._true_end(last))
            return end, end, f"{self._newline}{indent}{pair}"
        at = self._start(first)
        return at, at, f"{pair}{self._newline}{indent}"

    def remove(self, path: FieldPath) -> Change:
        """Removes a key or list item. Keeps a list or mapping in brackets or braces that becomes empty."""
        parent = self._node(path[:-1])
        key, value = self._pair(parent, path[-1])
        assert isinstance(parent, yaml.CollectionNode)  # noqa: S101 - it has a member
        members: list[tuple[yaml.Node, yaml.Node]] = (
            parent.value if isinstance(parent, yaml.MappingNode) else [(item, item) for item in parent.value]
        )
        position = next(index for index, member in enumerate(members) if member[0] is key)
        if parent.flow_style:
            if len(members) == 1:
                return self._start(parent) + 1, self._end(parent) - 1, ""
            if position + 1 < len(members):
                return self._start(key), self._start(members[position + 1][0]), ""
            return self._true_end(members[position - 1][1]), self._true_end(value), ""
        if len(members) == 1:
            raise LookupError
        start, end = self._start(key), self._line_end(self._true_end(value))
        if isinstance(parent, yaml.SequenceNode):
            start = self._text.rindex("-", 0, start)
        line = self._text.rfind("\n", 0, start) + 1
        if not self._text[line:start].strip():  # whole lines
            return (line, end + self._break(end), "") if self._break(end) else (max(line - 1, 0), end, "")
        if position + 1 == len(members) or isinstance(parent, yaml.SequenceNode):
            raise LookupError
        return start, end + len(self._text[end:]) - len(self._text[end:].lstrip()), ""  # the next key follows the dash

    def _inline(self, value: Json, *, flow: bool) -> str:
        if isinstance(value, dict):
            return f"{{{', '.join(f'{self._inline(k, flow=True)}: {self._inline(v, flow=True)}' for k, v in value.items())}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._inline(item, flow=True) for item in value)}]"
        if isinstance(value, str):
            return writer.scalar(value) if not (flow and _FLOW.search(value)) else json.dumps(value)
        return json.dumps(value)

    def _true_end(self, node: yaml.Node) -> int:
        """Returns the end of the last value without the spaces after it."""
        first = self._start(node)
        return first + len(self._text[first : self._end(last_node(node))].rstrip())

    def _start(self, node: yaml.Node) -> int:
        return self._base + start_of(node)

    def _end(self, node: yaml.Node) -> int:
        return self._base + end_of(node)

    def _column(self, at: int) -> int:
        return at - (self._text.rfind("\n", 0, at) + 1)

    def _line_end(self, at: int) -> int:
        """Returns the end of the line, before the line break."""
        newline = self._text.find("\n", at)
        end = len(self._text) if newline < 0 else newline
        return end - 1 if end > at and self._text[end - 1] == "\r" else end

    def _break(self, at: int) -> int:
        return 2 if self._text.startswith("\r\n", at) else int(self._text.startswith("\n", at))


def _in_style(old: str, style: str, value: str) -> str | None:
    """Returns a string in the style of the old string, or None if the string cannot be written in this style."""
    if style == '"':
        return writer.double_quoted(value)
    if style == "'":
        return "'" + value.replace("'", "''") + "'" if value.isprintable() else None
    block = _BLOCK.match(old)
    if block is None or not value.isprintable() or value != value.strip() or not value:
        return None
    return f"{block[1]}-{block[2]}{block[3]}{value}"
