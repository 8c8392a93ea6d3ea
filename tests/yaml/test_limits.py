"""Limits of the YAML and JSON readers: size, nesting, nodes, aliases, documents, and time."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.conftest import FIGURE
from tests.instructions import instructions
from tests.yaml.reading import read, read_error, read_one
from webhook.errors import BadInput
from webhook.yaml import builder, document, text
from webhook.yaml.document import read_documents


def alias_bomb(levels: int) -> str:
    """YAML with ten times as many nodes at each level."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


def test_an_alias_bomb_is_an_error() -> None:
    """
    Aliases are counted with their values, but never expanded: 10^30 nodes would not fit into memory.
    """
    assert read_error(alias_bomb(30)).message == "expands to more than 1,000,000 nodes"


def test_the_values_of_aliases_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A document may have as many nodes as the limit, with aliases expanded, and not one more.
    """
    text = "a: &a [x, {b: c}]\nd: *a\n"  # the root, two keys, and twice a list, x, a mapping, b and c
    monkeypatch.setattr(builder, "MAX_NODES", 13)

    assert read(text) == [{"a": ["x", {"b": "c"}], "d": ["x", {"b": "c"}]}]
    monkeypatch.setattr(builder, "MAX_NODES", 12)
    assert read_error(text).message.startswith("expands to more than")


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("[" * 512 + "]" * 512, True),
        ("[" * 513 + "]" * 513, False),
        ("- " * 511 + "- x", True),
        ("- " * 512 + "- x", False),
        ("x: " + "[" * 511 + "]" * 511, True),
        ("x: " + "[" * 512 + "]" * 512, False),
        ("[" * 100_000, False),
        ('{"a":' * 100_000, False),
        ("- " * 100_000, False),
        ("{a: " * 100_000, False),
    ],
)
def test_nesting_deeper_than_512_levels_is_an_error(text: str, allowed: bool) -> None:
    """
    The limit applies in YAML and in JSON, before the stack of C or Python overflows.
    """
    if allowed:
        assert read_one(text).mark((0,) * 600).line == 1
    else:
        assert read_error(text).message == "nesting deeper than 512"


@pytest.mark.parametrize("text", ["[" + "1," * 1_000_000 + "1]", "[" + "a," * 1_000_000 + "a]", "- \n" * 1_000_001])
def test_more_than_a_million_nodes_are_an_error(text: str) -> None:
    """
    A file with too many nodes is an error before it fills the memory.
    """
    assert read_error(text).message == "expands to more than 1,000,000 nodes"


def test_commas_in_strings_do_not_count_as_nodes() -> None:
    """
    A long string is one node of JSON.
    """
    assert read(json.dumps({"a": "," * 1_000_001})) == [{"a": "," * 1_000_001}]


@pytest.mark.parametrize("repeat", ["a: 1\n---\n", "---\n", '{"a": 1}\n'])
def test_too_many_documents_are_an_error(repeat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A stream may have as many documents as the limit. Empty documents count.
    """
    monkeypatch.setattr(document, "MAX_DOCUMENTS", 5)

    read_documents((repeat * 4).encode(), "vm.yaml")
    assert read_error(repeat * 7).message == "more than 5 documents"


def test_more_than_a_thousand_aliases_in_a_document_are_an_error() -> None:
    """
    Each document may have 1,000 aliases.
    """
    text = "- &a x\n" + "- *a\n" * 1_000

    assert [len(value) for value in read(f"{text}---\n{text}") if isinstance(value, list)] == [1_001, 1_001]
    assert read_error(text + "- *a\n").message == "more than 1,000 aliases"


def reading(line: str, size: int) -> Callable[[], None]:
    """Reads ``size`` characters of repeated ``line``."""
    content = (line * (size // len(line))).encode()

    def read_all() -> None:
        with suppress(BadInput):
            read_documents(content, "vm.yaml")

    return read_all


@pytest.mark.parametrize(
    "line", ["a\n...\n", "...\n", "---\n", "\n", "# c\n", "- &a\n", "<<: \n", "? \n", '"', "\\", "\r"]
)
def test_the_work_of_reading_is_proportional_to_the_size(
    line: str, record_property: Callable[[str, object], None]
) -> None:
    """
    Eight times the text needs eight times the instructions: no repeated text makes reading quadratic.
    """
    short, long = reading(line, 2**12), reading(line, 2**15)
    short()  # fills caches
    began = time.process_time()
    long()
    took = time.process_time() - began

    few, many = instructions(short), instructions(long)

    record_property(
        FIGURE, f"YAML of repeated {line!r}: {few:,} and {many:,} instructions, {took * 1000:.0f} ms for 32 KiB"
    )
    assert many <= 9 * few


def test_the_limits_have_the_documented_values() -> None:
    """
    10 MiB, 512 levels, 1,000 aliases, 1,000,000 nodes, 50,000 documents.
    """
    limits = (
        document.MAX_BYTES,
        text.MAX_DEPTH,
        builder.MAX_ALIASES,
        text.MAX_NODES,
        document.MAX_DOCUMENTS,
    )

    assert limits == (10_485_760, 512, 1_000, 1_000_000, 50_000)
