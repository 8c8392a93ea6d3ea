"""The block reader gives the same documents as the exact reader, or None (webhook.yaml.block_reader)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.generators.vms import EVERY
from benchmarks.generators.writing import GENERATORS
from webhook.errors import BadInput
from webhook.yaml.block_reader import read_blocks
from webhook.yaml.brackets import forget_values, read_brackets
from webhook.yaml.document import MAX_DOCUMENTS
from webhook.yaml.reader import read_exactly
from webhook.yaml.text import Text

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads((ROOT / "tests" / "yaml" / "yaml_table.json").read_text())["scalars"]
PATHS = sorted([*(ROOT / "examples").glob("*.yaml"), *(ROOT / "deploy" / "kustomize").rglob("*.yaml")])
MANIFESTS = {str(path.relative_to(ROOT)): path.read_text() for path in PATHS}
WORDS = "y n yes NO on Off true FALSE null Null ~ = <<"
NUMBERS = (
    "0 1 -1 +1 010 0o17 0x1f 0b11 1_000 1e3 1.5 1.0 1. .5 -.5 .inf .nan 08 12:30 1:30:45 52:54:00:12:34:56 2024-01-01 "
    "2001-12-14t21:59:43.10-05:00 -_1 +_1 ._1 9999999999999999 123456789012345678901 1.2.3 10.0.0.0/24 30Gi 500m"
)
SIGNS = r"""!, !!str, a?b ?a a? "\/" '1' "yes" '' "" a - -- --flag -c ? ! & * | > % @ ` { } [ ] , # : a:b"""
SCALARS = list(dict.fromkeys([*f"{WORDS} {NUMBERS} {SIGNS}".split(" "), "a: 1", "{a: 1}", "[1]", "-?", *TABLE]))
AROUND = (
    """
a: @@|a: @@ # c|- @@|@@|a: x @@|a:^- b^- @@|a: $^  @@|a: [@@, @@]|a: {b: @@, c: 1}|a: {@@: 1}|a: {@@}|a: {b: 1, @@}
"a":@@|{"a":@@}|@@: a|@@ : a|a: 1^@@: 2|? @@^: 1
a: b^ @@|a: b^^ @@ # c|a:^ @@^ b|- b^  @@^- c|a: "b^ @@"|a: "b^ @@^^ c" # d|a: 'b^  @@'|a: 'b ^@@'
a: "b^\t@@"|a: "b^ @@\t^ c"|a: "b\\^ @@"|a: $^ \t@@
a: >^ b^ @@^|a: >-^ @@^  @@^ b^|a: >+^^ b^ @@^^|a: $+^ @@^^^b: c|a: $-^^ @@|a: $^  b^ @@|- $^  @@^- >^ b|a: >^ b^^  @@^^ c^
""".strip()
    .replace("\n", "|")
    .split("|")
)
PIECES = [
    *SCALARS,
    "- ",
    "  ",
    "\n",
    "\n  ",
    "\n---\n",
    "---",
    "...",
    ": ",
    " #",
    "|\n ",
    ">-\n ",
    "x: y",
    "\n- ",
    "\t",
]


def read_exact(text: str) -> Any:
    """The documents that the exact reader gives, or "an error"."""
    marks = Text(text, "test")
    try:
        documents = read_exactly(marks, MAX_DOCUMENTS)
    except BadInput:
        return "an error"
    return [(document.value, document.number, marks.mark(document.start).line) for document in documents]


def by_lines(text: str) -> Any:
    documents = read_blocks(text, MAX_DOCUMENTS)
    if documents is None:
        return None
    marks = Text(text, "test")
    return [(document.value, document.number, marks.mark(document.start).line) for document in documents]


def assert_equal(text: str) -> None:
    actual = by_lines(text)
    if actual is not None:
        expected = read_exact(text)
        assert actual == expected
        assert repr(actual) == repr(expected)  # tells 1, 1.0 and True apart


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_are_read_equally(name: str) -> None:
    """
    For every manifest of this repository, value, number and line of each document are equal.
    """
    assert_equal(MANIFESTS[name])


def test_manifests_of_any_style_are_read_by_lines() -> None:
    """
    No example and no VM of a benchmark needs the exact reader.
    """
    examples = {name: text for name, text in MANIFESTS.items() if name.startswith("examples")}
    generated = {
        f"{name} {path}": text
        for name, files in GENERATORS.items()
        for number in range(2 * EVERY)
        for path, text in files(number).items()
    }

    for text in generated.values():
        assert_equal(text)
    assert [name for name, text in (examples | generated).items() if by_lines(text) is None] == []


@pytest.mark.parametrize("around", AROUND)
def test_a_scalar_has_the_same_value_in_any_place(around: str) -> None:
    """
    The scalar is a value, a key or a list item, in flow or block style, in a text, or at the end.
    """
    for scalar in SCALARS:
        text = around.replace("^", "\n").replace("$", "|").replace("@@", scalar)
        assert_equal(text)
        assert_equal(text + "\n")


def test_equal_texts_in_brackets_share_a_value_until_it_is_forgotten() -> None:
    """
    A long text has a value of its own each time.
    """
    text, long = "{bus: virtio, name: [a, 'b']}", f"[{'a, ' * 50}b]"

    value, of_long = read_brackets(text), read_brackets(long)

    assert read_brackets(f" {text}"[1:]) is value
    assert read_brackets(long) == of_long
    assert read_brackets(long) is not of_long
    forget_values()
    assert read_brackets(text) == value
    assert read_brackets(text) is not value


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A manifest with a few pieces added or removed."""
    text = draw(st.sampled_from(list(MANIFESTS.values())))
    begin = draw(st.integers(0, max(0, len(text) - 40)))
    text = text[text.find("\n", begin) + 1 :][: draw(st.integers(20, 900))]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 5))
        text = text[:at] + draw(st.sampled_from(["", *PIECES])) + text[at + cut :]
    return text


@settings(max_examples=2000, deadline=None)
@given(edited())
@example("a: 1\n---kind: b\n")
@example("a: {true}\n")
@example("a: { 1\n}\n")
@example("value: 1001.0000000\n")
@example("a:\n  - b\n      - c\n")
@example("a: {b\n c: 1}\n")
@example("a: |\n  no line end")
def test_an_edited_manifest_is_read_equally(text: str) -> None:
    """
    After any edit, both readers give the same documents, or the block reader gives None.
    """
    assert_equal(text)


def test_the_cache_of_lines_changes_no_result() -> None:
    """
    The form of a line is read once. Its context in another text still counts.
    """
    for _ in range(2):
        assert by_lines("a: b\nc: d\n") == [({"a": "b", "c": "d"}, 0, 1)]
        assert by_lines("a: |\n  c: d\n") == [({"a": "c: d\n"}, 0, 1)]
        assert by_lines("a: e\n  c: d\n") is None


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("y\t")
@example("a: no\t# c\n")
def test_any_pieces_are_read_equally(text: str) -> None:
    """
    This holds for random pieces of YAML, too.
    """
    assert_equal(text)
