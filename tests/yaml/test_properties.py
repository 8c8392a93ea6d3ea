"""Properties of reading: any value, any bytes."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.yaml.reading import Steps, read, read_one
from webhook.errors import BadInput
from webhook.yaml import events
from webhook.yaml.document import Document, JsonValue, Mark, read_documents

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
PRINTABLE = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=("C", "Zl", "Zp")), max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**53), 2.0**53)


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[JsonValue]:
    """Any JSON value whose numbers the API server does not change."""
    leaves: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | NUMBERS | text
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


@given(value=json_values(TEXT), ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_json_reads_back_as_the_value_that_was_written(value: JsonValue, ascii_only: bool, indent: int | None) -> None:
    """
    Any value, written as JSON, reads back as the same value.
    """
    text = json.dumps([value, {"v": value}], ensure_ascii=ascii_only, indent=indent)

    assert read(text) == [[value, {"v": value}]]


WORDS = r"""a b:_ -_ \n \n__ { } [ ] , " ' &a_ *a ! !!int_ <<:_ ?_ :_ |\n > # ---\n ...\n % \t \r \\ \\ud800 \x85
    \u2028 \ufeff 1e3 0x \xe9 {"a": "a": 1e999 NaN !!binary_ ~ !<x>_ \0 \U0001f600"""
FRAGMENTS = st.sampled_from(
    [word.replace("_", " ").encode("latin-1").decode("unicode_escape") for word in WORDS.split()]
)
ANY_BYTES = st.binary(max_size=40) | st.lists(FRAGMENTS, max_size=12).map(lambda parts: "".join(parts).encode())


def children(value: JsonValue) -> list[tuple[str | int, JsonValue]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def paths(value: JsonValue, prefix: Steps = ()) -> Iterator[Steps]:
    """The paths of all nodes."""
    yield prefix
    for step, child in children(value):
        yield from paths(child, (*prefix, step))


def documents_or_error(content: bytes) -> list[Document] | BadInput:
    try:
        return read_documents(content, "x")
    except BadInput as error:
        return error


@pytest.mark.parametrize("parser", ["libyaml", "python"])
@settings(max_examples=400)
@example(content=b'"\\UFFFFFFFF"')
@example(content=b"!<%> a")
@given(content=ANY_BYTES)
def test_any_bytes_are_documents_or_bad_input(parser: str, content: bytes) -> None:
    """
    Reading raises only ``BadInput``, with a remedy. Every part of a document has a position in the text.
    """
    with pytest.MonkeyPatch.context() as patch:
        if parser == "python":
            patch.setattr(events, "YamlParser", events.PureParser)
        outcome = documents_or_error(content)

        if isinstance(outcome, BadInput):
            assert outcome.remedy
            assert outcome.line is None or (outcome.line >= 1 and (outcome.column or 0) >= 1)
            return
        for document in outcome:
            assert json.loads(json.dumps(document.value)) == document.value
            for path in paths(document.value):
                start, end = document.span(path)
                assert (1, 1) <= (start.line, start.column) <= (end.line, end.column)


class Writer:
    """Writes a value as block YAML or as JSON, and records the position of each key and list item."""

    def __init__(self) -> None:
        self.text = "# a comment\n"
        self.marks: dict[Steps, Mark] = {}

    def note(self, path: Steps) -> None:
        line = self.text.rpartition("\n")[2]
        self.marks[path] = Mark(self.text.count("\n") + 1, len(line) + 1)

    def blocks(self, value: JsonValue, path: Steps, indent: int) -> None:
        if not children(value):
            self.text += json.dumps(value, ensure_ascii=False) + "\n"
        for number, (step, child) in enumerate(children(value)):
            # The first line of an item follows its dash. The value of a member starts a new line.
            self.text += " " * indent if number or not self.text.endswith("- ") else ""
            self.text += "- " if isinstance(step, int) else ""
            self.note((*path, step))
            if isinstance(step, str):
                self.text += f"{json.dumps(step, ensure_ascii=False)}: " + ("\n" if children(child) else "")
            self.blocks(child, (*path, step), indent + 2)

    def json(self, value: JsonValue, path: Steps) -> None:
        if not isinstance(value, dict | list):
            self.text += json.dumps(value)
            return
        self.text += "{\n" if isinstance(value, dict) else "[ "
        for number, (step, child) in enumerate(children(value)):
            self.text += ",\n " if number else ""
            self.note((*path, step))
            self.text += f"{json.dumps(step)} : " if isinstance(step, str) else ""
            self.json(child, (*path, step))
        self.text += "}" if isinstance(value, dict) else "]"


@given(value=json_values(PRINTABLE).filter(lambda value: isinstance(value, dict | list)))
def test_every_path_in_yaml_has_the_position_where_it_was_written(value: JsonValue) -> None:
    """
    This holds for each key and list item, for any value.
    """
    writer = Writer()
    writer.blocks(value, (), 0)

    document = read_one(writer.text)

    assert document.value == value
    assert {path: document.mark(path) for path in writer.marks} == writer.marks


@given(value=json_values(TEXT).filter(lambda value: isinstance(value, dict | list)))
def test_every_path_in_json_has_the_position_where_it_was_written(value: JsonValue) -> None:
    """
    This holds for each name and list item, for any value.
    """
    writer = Writer()
    writer.text = "\n "
    writer.json(value, ())

    document = read_one(writer.text)

    assert document.value == value
    assert {path: document.mark(path) for path in writer.marks} == writer.marks
