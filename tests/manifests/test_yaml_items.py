"""A List in kubectl's form is divided into Lists with the same items."""

import io
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.errors import BadInput
from webhook.manifests import yaml_items
from webhook.manifests.yaml_items import HEAD, Part, YamlItems, begins_list

TEXTS = st.sampled_from(
    ["", "- a", "-", "---", "a\n- apiVersion: v1\n", "x: y\nkind: List\n", "é\n\n  b", "# c", "kind: x"]
)
OBJECTS = st.builds(
    lambda name, texts: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"list": texts, "text": texts},
    },
    TEXTS,
    st.lists(TEXTS, max_size=3),
)


class Slow:
    """A stream that returns few bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        self._stream = io.BytesIO(text)
        self._size = size

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._size))


def dumped(objects: list[Any], style: str | None = None) -> str:
    whole = {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
    return yaml.safe_dump(whole, sort_keys=True, default_style=style, allow_unicode=True).replace(
        '"apiVersion"', "apiVersion"
    )


def parts(text: str, size: int = 1 << 20, part_bytes: int = 100) -> list[Part]:
    return list(YamlItems(Slow(text.encode(), size), "pods.yaml", b"", part_bytes))


def items(found: list[Part]) -> list[Any]:
    return [item for part in found for item in yaml.safe_load(part.text)["items"]]


@settings(max_examples=60, deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=6), st.integers(1, 300), st.integers(1, 300))
def test_the_parts_have_the_items_of_the_list(objects: list[Any], size: int, part_bytes: int) -> None:
    """
    The size of the parts and the size in which the stream arrives do not matter.
    """
    text = dumped(objects)
    assert begins_list(text.encode())

    assert items(parts(text, size, part_bytes)) == objects


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_the_documents_after_a_list_are_read(size: int) -> None:
    """
    The output of several commands can be in one file.
    """
    first, second = ([{"apiVersion": "v1", "kind": kind} for _ in range(9)] for kind in ("Pod", "Node"))
    last = "apiVersion: v1\nkind: Service\n"

    found = parts(dumped(first) + "---\n" + dumped(second) + "---\n" + last, size)

    assert items(found[:-1]) == [*first, *second]
    assert found[-1].text.decode() == last


def test_a_part_knows_its_line() -> None:
    """
    An error in a part names a line of the stream.
    """
    text = dumped([{"apiVersion": "v1", "kind": "Pod", "n": number} for number in range(30)]) + "---\na: b\n"
    lines = text.splitlines()
    found = parts(text)

    assert len(found) > 3
    for part in found:
        own = part.text.decode().splitlines()
        first = HEAD.count(b"\n") if part is not found[-1] else 0
        assert lines[first + part.lines_before] == own[first]


def test_one_item_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A file without the end of an item is read up to a limit.
    """
    monkeypatch.setattr(yaml_items, "MOST_BYTES", 100)
    with pytest.raises(BadInput, match="an object is larger than 64 MiB"):
        parts(dumped([{"apiVersion": "v1", "text": "x" * 1000}]), 10)
