"""The items of JSON Lists are read from a stream one at a time, whatever the form of the text."""

import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webhook.errors import BadInput
from webhook.manifests import json_items
from webhook.manifests.json_items import End, Header, Item, JsonItems

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(['}, {"', "\\", '"', "]}"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=5
)
OBJECTS = st.builds(
    lambda more: {"apiVersion": "v1", "kind": "Pod", **more}, st.dictionaries(st.text(max_size=4), VALUES)
)


class Slow:
    """A stream that returns few bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        self._stream = io.BytesIO(text)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._size))


def read(text: str, size: int = 1 << 20) -> list[Item | End]:
    return list(JsonItems(Slow(text.encode(), size), "pods.json"))


def values(entries: list[Item | End]) -> list[Any]:
    return [json.loads(entry.text) for entry in entries if isinstance(entry, Item)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(OBJECTS, max_size=6),
    st.sampled_from([None, 0, 1, 4]),
    st.booleans(),
    st.sampled_from([1, 2, 7, 64, 4096]),
)
def test_the_items_are_those_of_the_list(objects: list[Any], indent: int | None, ascii_only: bool, size: int) -> None:
    """
    The space between items and the size of the parts in which a stream arrives do not matter.
    """
    whole = {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
    entries = read(json.dumps(whole, indent=indent, ensure_ascii=ascii_only), size)

    assert values(entries) == objects
    assert [entry.index for entry in entries if isinstance(entry, Item)] == list(range(len(objects)))
    assert entries[-1] == End(Header("v1", "List"))


@settings(max_examples=50, deadline=None)
@given(VALUES, st.sampled_from([1, 3, 4096]))
@example({"a": "}, {"}, 1)
def test_an_object_that_is_no_list_is_one_item(value: Any, size: int) -> None:
    """
    Its index is None.
    """
    one = {"kind": "Pod", "spec": value}
    entries = read(json.dumps(one, indent=1), size)

    assert values(entries) == [one]
    assert [entry.index for entry in entries if isinstance(entry, Item)] == [None]


def test_several_values_in_one_stream_are_numbered() -> None:
    """
    The output of several commands can be in one file.
    """
    entries = read('{"kind": "List", "items": [{"a": 1}]}\n{"kind": "Pod"}\n\n{"kind": "List", "items": []}\n')

    assert [entry.document for entry in entries if isinstance(entry, Item)] == [0, 1]
    assert values(entries) == [{"a": 1}, {"kind": "Pod"}]


def test_an_item_knows_its_line() -> None:
    """
    An error in an item names a line of the file.
    """
    text = json.dumps({"kind": "List", "items": [{"a": 1}, {"b": 2}]}, indent=2)
    lines = [entry.lines_before for entry in read(text) if isinstance(entry, Item)]

    assert [text.splitlines()[line].strip() for line in lines] == ["{", "{"]
    assert lines == [3, 6]


def test_the_kind_of_a_typed_list_is_known_to_its_items_if_it_comes_first() -> None:
    """
    Otherwise it is known at the end of the list.
    """
    before = read('{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {}}]}')
    after = read('{"apiVersion": "v1", "items": [{"metadata": {}}], "kind": "PodList"}')

    assert [entry.header for entry in before] == [Header("v1", "PodList"), Header("v1", "PodList")]
    assert [entry.header for entry in after] == [Header("v1", ""), Header("v1", "PodList")]


def test_a_page_of_a_list_is_partial() -> None:
    """
    The API server has more items than the file.
    """
    assert read('{"kind": "PodList", "metadata": {"continue": "x"}, "items": []}') == [End(Header("", "PodList", True))]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ('{"kind": "List", "items": [{"a": 1}', "the text ends inside a value", 1),
        ('{"kind": "List",\n "items": [{"a": 1} {"b": 2}]}', "',' or ']' is missing", 2),
        ('{"kind": "List", "items": [{"a": 1},]}', "',' or ']' is missing", 1),
        ('{"kind": "List", "items": []} x', "'{' is missing", 1),
        ('{"kind": nul, "items": []}', "invalid JSON", 1),
        ("{kind: List}", "the name of a field is missing", 1),
        ('{"kind" "List"}', "':' is missing after the name of a field", 1),
        ('{"kind": "List', "the text ends inside a value", 1),
    ],
)
def test_text_that_is_not_json_is_reported_with_its_line(text: str, message: str, line: int) -> None:
    """
    The remedy names a command that writes JSON.
    """
    for size in (1, 4096):
        with pytest.raises(BadInput) as caught:
            read(text, size)
        assert caught.value.message == f"not JSON: {message}"
        assert caught.value.line == line
        assert caught.value.source == "pods.json"


def test_one_value_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A file without the end of an item is read up to a limit.
    """
    monkeypatch.setattr(json_items, "MOST_BYTES", 100)
    with pytest.raises(BadInput, match="a value is larger than 64 MiB"):
        read('{"kind": "List", "items": [{"a": "' + "x" * 1000, 10)


def test_only_a_part_of_the_stream_is_in_memory() -> None:
    """
    Items are returned before the end of the stream is read.
    """
    item = json.dumps({"apiVersion": "v1", "data": "x" * 1000})
    stream = io.BytesIO(('{"kind": "List", "items": [' + ",".join([item] * 5000) + "]}").encode())

    next(iter(JsonItems(stream, "pods.json")))

    assert stream.tell() <= 2 * json_items.CHUNK
