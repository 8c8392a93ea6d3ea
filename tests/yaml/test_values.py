"""Manifests have the values that Kubernetes reads (webhook.yaml.document)."""

import json
from pathlib import Path

import pytest

from tests.gojson import from_go_json, typed
from tests.yaml.reading import read, read_error
from webhook.yaml import events
from webhook.yaml.document import JsonValue, read_documents

TABLE: dict[str, dict[str, str | None]] = json.loads(Path(__file__).with_name("yaml_table.json").read_text("utf-8"))


@pytest.mark.parametrize(("scalar", "answer"), TABLE["scalars"].items())
def test_a_scalar_has_the_value_that_go_reads(scalar: str, answer: str | None) -> None:
    """
    A scalar has the value of sigs.k8s.io/yaml, and is an error where it is an error there.
    """
    text = f"a: {scalar}"

    if answer is None:
        read_error(text)
    else:
        assert typed(read(text)) == typed([from_go_json(answer)])


@pytest.mark.parametrize(("key", "answer"), TABLE["keys"].items())
def test_a_key_has_the_text_that_go_writes(key: str, answer: str | None) -> None:
    """
    Numbers and booleans become strings. Null and numbers beyond 64 bits are errors.
    """
    text = f"{key}: 1"

    if answer is None:
        read_error(text)
    else:
        assert read(text) == [from_go_json(answer)]


@pytest.mark.parametrize(("stream", "answer"), TABLE["streams"].items())
def test_a_stream_has_the_documents_that_kubectl_reads(stream: str, answer: str | None) -> None:
    """
    Separators, merges, anchors, line ends and JSON are read as kubectl reads them.
    """
    if answer is None:
        read_error(stream)
    else:
        assert typed(read(stream)) == typed(from_go_json(answer))


@pytest.mark.parametrize("stream", TABLE["stricter"])
def test_text_that_kubectl_silently_ignores_is_an_error(stream: str) -> None:
    """
    A policy check must not drop, guess or ignore anything.
    """
    error = read_error(stream)

    assert error.line is not None


@pytest.mark.parametrize("stream", [stream for stream, answer in TABLE["streams"].items() if answer is not None])
def test_the_parser_in_python_reads_the_same_values(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    PyYAML without libyaml is slower, with the same results for YAML that kubectl accepts.
    """
    expected = [(document.value, document.mark(()), document.index) for document in read_documents(stream.encode(), "")]
    monkeypatch.setattr(events, "YamlParser", events.PureParser)

    documents = read_documents(stream.encode(), "")

    assert [(document.value, document.mark(()), document.index) for document in documents] == expected


def test_an_empty_document_is_skipped_but_counted() -> None:
    """
    The index of a document counts all documents of the file from 0.
    """
    documents = read_documents(b"# Source: a.yaml\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n", "vm.yaml")

    assert [(document.index, document.line, document.source) for document in documents] == [
        (0, 3, "vm.yaml"),
        (2, 8, "vm.yaml"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: ['b?', \"c?\", {? d : 1, e: 2}]\nf: g?", {"a": ["b?", "c?", {"d": 1, "e": 2}], "f": "g?"}),
        ("a: {}\nb: c?d", {"a": {}, "b": "c?d"}),
        ("a: [!!str , !!str b, !!str &c, ! '', '!,']", {"a": ["", "b", "", "", "!,"]}),
        ("a: [b] # c?\nd: |\n  e?\nf: {g: [h], i: '?'}", {"a": ["b"], "d": "e?\n", "f": {"g": ["h"], "i": "?"}}),
        (r'a: "\\/"', {"a": r"\/"}),
        ("a: '\\/'\nb: \\/", {"a": r"\/", "b": r"\/"}),
        (r'{"a": "\/"}', {"a": "/"}),
    ],
)
def test_yaml_that_go_yaml_reads_as_libyaml_does_is_accepted(text: str, value: JsonValue) -> None:
    """
    A question mark is an error only inside a word in brackets, and an escaped slash only in a double-quoted scalar.
    """
    assert read(text) == [value]
