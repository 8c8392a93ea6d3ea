"""The reader of manifests: Kubernetes' values, refusals that name their place, positions, limits."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.gojson import from_go_json, typed
from webhook.errors import BadInput
from webhook.yaml import builder as kubebuild
from webhook.yaml import document as kubeyaml
from webhook.yaml import events as libyaml
from webhook.yaml import json_reader as kubejson
from webhook.yaml.document import Document, JsonValue, Mark, read_documents

PathSteps: TypeAlias = tuple[str | int, ...]

TABLE: dict[str, dict[str, str | None]] = json.loads(Path(__file__).with_name("yaml_table.json").read_text("utf-8"))

VM = """\
# A machine.
apiVersion: kubevirt.io/v1
kind: VirtualMachine
spec:
  template:
    spec:
      volumes:
        - name: os      # the root disk
          persistentVolumeClaim:
            claimName: os
        # and its configuration
        - name: ci
          cloudInitNoCloud:
            userData: |
              #cloud-config
              password: x

      networks: [{name: default, pod: {}}]
"""
SPEC = ("spec", "template", "spec")


def read(text: str) -> list[JsonValue]:
    return [document.value for document in read_documents(text.encode(), "vm.yaml")]


def only(text: str) -> Document:
    (document,) = read_documents(text.encode(), "vm.yaml")
    return document


def refusal(content: str | bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_documents(content.encode() if isinstance(content, str) else content, "vm.yaml")
    return caught.value


# --- the same values as Kubernetes


@pytest.mark.parametrize(("scalar", "answer"), TABLE["scalars"].items())
def test_a_scalar_has_the_value_that_go_gives_it(scalar: str, answer: str | None) -> None:
    """
    Every scalar is what sigs.k8s.io/yaml makes of it, or refused where it refuses.
    """
    text = f"a: {scalar}"

    if answer is None:
        refusal(text)
    else:
        assert typed(read(text)) == typed([from_go_json(answer)])


@pytest.mark.parametrize(("key", "answer"), TABLE["keys"].items())
def test_a_key_is_spelt_as_go_spells_it(key: str, answer: str | None) -> None:
    """
    Numbers and booleans become text as keys; null and numbers beyond 64 bits are refused.
    """
    text = f"{key}: 1"

    if answer is None:
        refusal(text)
    else:
        assert read(text) == [from_go_json(answer)]


@pytest.mark.parametrize(("stream", "answer"), TABLE["streams"].items())
def test_a_stream_has_the_documents_that_kubectl_finds(stream: str, answer: str | None) -> None:
    """
    Separators, merges, anchors, line ends and JSON are read as kubectl reads them.
    """
    if answer is None:
        refusal(stream)
    else:
        assert typed(read(stream)) == typed(from_go_json(answer))


@pytest.mark.parametrize("stream", TABLE["stricter"])
def test_what_kubectl_lets_pass_in_silence_is_refused(stream: str) -> None:
    """
    Where kubectl drops, guesses or ignores, a policy check must not.
    """
    error = refusal(stream)

    assert error.line is not None


@pytest.mark.parametrize("stream", [stream for stream, answer in TABLE["streams"].items() if answer is not None])
def test_the_parser_in_python_reads_the_same(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A PyYAML without libyaml is slower, and no different in what kubectl accepts.
    """
    expected = [(document.value, document.mark(()), document.index) for document in read_documents(stream.encode(), "")]
    monkeypatch.setattr(libyaml, "YamlParser", libyaml.PureParser)

    documents = read_documents(stream.encode(), "")

    assert [(document.value, document.mark(()), document.index) for document in documents] == expected


def test_an_empty_document_is_skipped_but_counted() -> None:
    """
    The index of a document is its number in the file, from 0, as the separators count it.
    """
    documents = read_documents(b"# Source: a.yaml\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n", "vm.yaml")

    assert [(document.index, document.line, document.source) for document in documents] == [
        (0, 3, "vm.yaml"),
        (2, 8, "vm.yaml"),
    ]


# --- refusals


REFUSALS = {
    "a: 1\nb: 2\na: 3": ("duplicate key 'a' (lines 1 and 3)", 3, 1, 0, "a"),
    "x: {a: 1, a: 2}": ("duplicate key 'a' (line 1)", 1, 11, 0, "x.a"),
    "---\na: 1\n---\nspec:\n- b:\n    yes: 1\n    true: 2": (
        "duplicate key 'true' (lines 6 and 7)", 7, 5, 1, "spec[0].b.true",
    ),
    '{"spec": [0, {"a": 1,\n  "a": 2}]}': ("duplicate key 'a' (lines 1 and 2)", 2, 3, 0, "spec[1].a"),
    '{"a": 1}\n{"b": NaN}': ("invalid JSON number 'NaN'", 2, 7, 1, "b"),
    '{"a": [1e400]}': ("invalid JSON number '1e400'", 1, 8, 0, "a[0]"),
    '{"a":\n"\\ud800x"}': ("unpaired UTF-16 surrogate in an escape", 2, 2, None, ""),
    '{"a": "\\ude00"}': ("unpaired UTF-16 surrogate in an escape", 1, 8, None, ""),
    '{"a": "\\u0000"}': ("NUL character in a string", 1, 8, None, ""),
    'a:\n  b: "x\\0"': ("NUL character in a string", 2, 6, 0, "a"),
    "a: .inf": ("infinity or NaN, which JSON does not allow", 1, 4, 0, ""),
    "a: !!python/object/apply:os.system [ls]": (
        "tag '!!python/object/apply:os.system' is not supported for this value", 1, 4, 0, "a",
    ),
    "a: !!set {b, c}": ("tag '!!set' is not supported for this value", 1, 4, 0, "a"),
    "a: !!timestamp 2024-01-01": ("tag '!!timestamp' is not supported for this value", 1, 4, 0, ""),
    "a: !vault secret": ("tag '!vault' is not supported for this value", 1, 4, 0, ""),
    "a: !!int x": ("value tagged !!int is not an integer", 1, 4, 0, ""),
    "a: &a [*a]": ("anchor 'a' contains itself", 1, 8, 0, "a"),
    "a: *b": ("alias 'b' has no anchor before it", 1, 4, 0, ""),
    "a: &b 1\n---\na: *b": ("alias 'b' has no anchor before it", 3, 4, 1, ""),
    "? [a]\n: 1": ("mapping or list as a key", 1, 3, 0, ""),
    "a: &a {}\n*a : 1": ("mapping or list as a key", 2, 1, 0, ""),
    "null: 1": ("null as a key", 1, 1, 0, ""),
    "a:\n  <<: [1]": ("the value of merge key << is neither a mapping nor a list of mappings", 2, 9, 0, "a"),
    "a: 1\n\tb: 2": ("invalid YAML: found a tab character that violates indentation", 2, 1, None, ""),
    "a: b: c": ("invalid YAML: mapping values are not allowed in this context", 1, 5, None, ""),
    '{"a": 1\n "b": 2}': ("invalid JSON: Expecting ',' delimiter", 2, 2, None, ""),
    "a: 1\nb: \x01": ("control character or byte order mark, which YAML does not allow", 2, 4, None, ""),
    "a: 1\n--- {b: 2}": ("text after the document separator ---, which kubectl ignores", 2, 1, None, ""),
    "a: 1\n...\n# c\nb: 2": (
        "text after the document end marker ..., which kubectl ignores", 4, 1, None, "",
    ),
    "a: 1\n...\n---\nb: 1\n...\nc: 1": (
        "text after the document end marker ..., which kubectl ignores", 6, 1, None, "",
    ),
    "a: 1\n---# c\nb: 1": ("text after the document separator ---, which kubectl ignores", 2, 1, None, ""),
    "--- # c\ra: 1": ("text after the document separator ---, which kubectl ignores", 1, 1, None, ""),
    "%YAML 1.1\n---\na: 1": ("YAML directive, which kubectl does not support", 1, 1, 0, ""),
    "a: {b: x, c: http://d/e?f=1}": ("? inside brackets or braces, which kubectl reads as a key indicator", 1, 24, None, ""),
    "a:\n- [b,\n   c?]": ("? inside brackets or braces, which kubectl reads as a key indicator", 3, 5, None, ""),
    'a: "\\\\/\\/"': (r"the escape \/, which kubectl does not support", 1, 8, None, ""),
    "a: [b, &c !!str, d]": ("comma after a tag, which kubectl reads as part of the tag", 1, 16, None, ""),
    "a: {b: !,\n c: d}": ("comma after a tag, which kubectl reads as part of the tag", 1, 9, None, ""),
    'a: "b\\\'c"': ("invalid YAML: found unknown escape character", 1, 6, None, ""),
    "a: b\r\ufeffc: d": ("byte order mark inside the file", 2, 1, None, ""),
    "a: b # c\x85\ufeff": ("byte order mark inside the file", 1, 10, None, ""),
    "b: 1\n---\na: &a [" + "x," * 999 + "x]\nb: [" + "*a," * 399 + "*a]": (
        "excessive aliasing: kubectl rejects a document that consists mostly of aliases", 4, 335, 1, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_says_what_and_where(text: str) -> None:
    """
    What cannot be read is refused with its line, column, document and path, and with a remedy.
    """
    error = refusal(text)

    assert (error.message, error.line, error.column, error.document, error.path) == REFUSALS[text]
    assert error.source == "vm.yaml"
    assert error.remedy.endswith((".", "-"))


@pytest.mark.parametrize(
    ("content", "message", "line", "column"),
    [
        (b"a: 1\nb: \xff", "byte 0xff is not valid UTF-8", 2, 4),
        ("ä: \n".encode() + b"\xc3", "byte 0xc3 is not valid UTF-8", 2, 1),
        ("a: 1".encode("utf-16"), "the input is UTF-16", None, None),
        ("a: 1".encode("utf-16-le"), "the input is a binary file or UTF-16", 1, 2),
        (b"\x7fELF\0", "the input is a binary file or UTF-16", 1, 5),
        (b"#" * (kubeyaml.MAX_BYTES + 1), "the input is larger than 10 MiB", None, None),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, message: str, line: int | None, column: int | None) -> None:
    """
    A manifest is at most 10 MiB of UTF-8; a byte order mark in front is passed over.
    """
    error = refusal(content)

    assert (error.message, error.line, error.column, error.source) == (message, line, column, "vm.yaml")


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
def test_what_go_yaml_reads_like_libyaml_is_no_fault(text: str, value: JsonValue) -> None:
    """
    A question mark is a fault only inside of a word in brackets, an escaped slash only in a double-quoted text of YAML.
    """
    assert read(text) == [value]


@pytest.mark.parametrize(
    "template", ["{{- if .Values.vm }}\na: 1\n", "a: {{ .Values.cores }}\n", "a: 1\n{{ include }}: 2\n"]
)
def test_a_template_is_answered_with_how_to_render_it(template: str) -> None:
    """
    Whoever checks a chart is told to render it first.
    """
    error = refusal(template)

    assert error.remedy == "Render the chart first: helm template ... | migratable check -f -"


def test_a_refusal_repeats_no_content() -> None:
    """
    What stands next to an error, such as a password, never reaches the message.
    """
    texts = ["password: CANARY\nb: [", "password: !x CANARY", "password: CANARY: x", '{"password": "CANARY",}}']

    errors = [refusal(text) for text in texts]

    assert "CANARY" not in "".join(f"{error.message} {error.remedy} {error.path}" for error in errors)


# --- limits


def alias_bomb(levels: int) -> str:
    """Ten times as many nodes at each level."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines)


def test_an_alias_bomb_is_refused_at_once() -> None:
    """
    Aliases are counted as if written out, but never written out.
    """
    began = time.process_time()

    error = refusal(alias_bomb(10))

    assert error.message == "expands to more than 1,000,000 nodes"
    assert time.process_time() - began < 1


def test_what_aliases_expand_to_is_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A document may expand to as many nodes as the limit says, and to no more.
    """
    text = "a: &a [x, {b: c}]\nd: *a\n"  # the root, two keys, and twice: a list, x, a mapping, b and c
    monkeypatch.setattr(kubebuild, "MAX_NODES", 13)

    assert read(text) == [{"a": ["x", {"b": "c"}], "d": ["x", {"b": "c"}]}]
    monkeypatch.setattr(kubebuild, "MAX_NODES", 12)
    assert refusal(text).message.startswith("expands to more than")


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
def test_nesting_ends_at_512(text: str, allowed: bool) -> None:
    """
    Neither the C stack nor Python's ends a reader: the limit does, in YAML and in JSON.
    """
    if allowed:
        assert only(text).mark((0,) * 600).line == 1
    else:
        assert refusal(text).message == "nesting deeper than 512"


@pytest.mark.parametrize("text", ["[" + "1," * 1_000_000 + "1]", "[" + "a," * 1_000_000 + "a]", "- \n" * 1_000_001])
def test_a_million_nodes_are_enough(text: str) -> None:
    """
    A file that would fill the memory is refused before it does.
    """
    assert refusal(text).message == "expands to more than 1,000,000 nodes"


def test_commas_in_strings_are_no_nodes() -> None:
    """
    A long text is one node of JSON.
    """
    assert read(json.dumps({"a": "," * 1_000_001})) == [{"a": "," * 1_000_001}]


@pytest.mark.parametrize("repeat", ["a: 1\n---\n", "---\n", '{"a": 1}\n'])
def test_documents_are_counted(repeat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A stream may hold as many documents as the limit says, empty ones among them.
    """
    monkeypatch.setattr(kubeyaml, "MAX_DOCUMENTS", 5)

    read_documents((repeat * 4).encode(), "vm.yaml")
    assert refusal(repeat * 7).message == "more than 5 documents"


def test_a_thousand_aliases_are_enough() -> None:
    """
    Each document may resolve 1,000 aliases.
    """
    text = "- &a x\n" + "- *a\n" * 1_000

    assert [len(document) for document in read(f"{text}---\n{text}") if isinstance(document, list)] == [1_001, 1_001]
    assert refusal(text + "- *a\n").message == "more than 1,000 aliases"


@pytest.mark.parametrize(
    "line", ["a\n...\n", "...\n", "---\n", "\n", "# c\n", "- &a\n", "<<: \n", "? \n", '"', "\\", "\r"]
)
def test_reading_takes_time_in_proportion(line: str) -> None:
    """
    No input of one MiB takes longer than a few seconds, whatever it repeats.
    """
    began = time.process_time()

    with suppress(BadInput):
        read_documents((line * (2**20 // len(line))).encode(), "vm.yaml")

    assert time.process_time() - began < 5


# --- positions


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ((), (2, 1), (18, 43)),
        (("kind",), (3, 1), (3, 21)),
        ((*SPEC, "volumes"), (7, 7), (16, 26)),
        ((*SPEC, "volumes", 0), (8, 11), (10, 26)),
        ((*SPEC, "volumes", 0, "name"), (8, 11), (8, 19)),
        ((*SPEC, "volumes", 1, "cloudInitNoCloud", "userData"), (14, 13), (16, 26)),
        ((*SPEC, "networks", 0, "pod"), (18, 34), (18, 41)),
        ((*SPEC, "networks", 0, "masquerade", "x"), (18, 18), (18, 42)),
        ((*SPEC, "volumes", 7, "name"), (7, 7), (16, 26)),
        ((*SPEC, "volumes", "0"), (7, 7), (16, 26)),
        (("kind", 0), (3, 1), (3, 21)),
    ],
)
def test_a_path_leads_to_its_key(path: PathSteps, start: tuple[int, int], end: tuple[int, int]) -> None:
    """
    A path is where its key or list item begins; one that is not there is where its nearest ancestor begins.
    """
    document = only(VM)

    assert document.mark(path) == Mark(*start)
    assert document.span(path) == (Mark(*start), Mark(*end))


def test_positions_are_those_of_the_file() -> None:
    """
    Documents before, a byte order mark, indentation, CRLF, and characters that only YAML breaks lines at do not matter.
    """
    text = '\ufeffa: "x\u2028y"\r\n---\r\n# c\r\n  ä: 1\r\n  b: {c: 2}\r\n---\nd:\r- e'

    documents = read_documents(text.encode(), "vm.yaml")

    assert [document.line for document in documents] == [1, 4, 7]
    assert documents[1].span(("b", "c")) == (Mark(5, 7), Mark(5, 11))
    assert documents[2].mark(("d", 0)) == Mark(8, 3)


def test_what_an_alias_or_a_merge_brings_stands_where_it_was_written() -> None:
    """
    The line to correct is the one at the anchor.
    """
    document = only("a: &a\n  b: 1\n  c: 2\nd:\n  <<: [*a, {e: 3}]\n  c: 4\nf: *a\ny: 5\n")

    marks = [document.mark(path) for path in [("d", "b"), ("d", "e"), ("d", "c"), ("f",), ("f", "b"), ("true",)]]

    assert marks == [Mark(2, 3), Mark(5, 13), Mark(6, 3), Mark(7, 1), Mark(2, 3), Mark(8, 1)]
    assert document.span(("f",)) == (Mark(7, 1), Mark(7, 2))


def test_of_several_merged_mappings_the_first_is_the_place() -> None:
    """
    The position belongs to the value that counts.
    """
    document = only("<<: [{a: 1}, {a: 2}]\nb: 3\n<<: {b: 4}")

    assert document.value == {"a": 1, "b": 4}
    assert (document.mark(("a",)), document.mark(("b",))) == (Mark(1, 7), Mark(3, 6))


def test_positions_in_json_know_its_escapes() -> None:
    """
    Names are compared as JSON reads them, and what YAML would refuse in JSON does not matter.
    """
    document = only('{\n\t"\\u0061b" : ["\\ud83d\\ude00", {"c"\n:1}],\n"d":2 }')

    assert document.span(("ab", 1, "c")) == (Mark(2, 32), Mark(3, 3))
    assert document.mark(("d",)) == Mark(4, 1)


# --- properties

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
PRINTABLE = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=("C", "Zl", "Zp")), max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**53), 2.0**53)


def json_values(text: st.SearchStrategy[str]) -> st.SearchStrategy[JsonValue]:
    """Any value of JSON whose numbers the API server keeps as they are."""
    leaves: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | NUMBERS | text
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


@given(value=json_values(TEXT), ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]))
def test_json_reads_back_as_it_was(value: JsonValue, ascii_only: bool, indent: int | None) -> None:
    """
    Whatever value is written as JSON is the value that is read.
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


def paths(value: JsonValue, prefix: PathSteps = ()) -> Iterator[PathSteps]:
    """The path of every node."""
    yield prefix
    for step, child in children(value):
        yield from paths(child, (*prefix, step))


def documents_or_refusal(content: bytes) -> list[Document] | BadInput:
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
    Nothing but ``BadInput`` with a remedy is ever raised, and every part of what is read has a position in the text.
    """
    with pytest.MonkeyPatch.context() as patch:
        if parser == "python":
            patch.setattr(libyaml, "YamlParser", libyaml.PureParser)
        outcome = documents_or_refusal(content)

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
    """Writes a value as YAML blocks or as JSON, and notes where each key and each item begins."""

    def __init__(self) -> None:
        self.text = "# a comment\n"
        self.marks: dict[PathSteps, Mark] = {}

    def note(self, path: PathSteps) -> None:
        line = self.text.rpartition("\n")[2]
        self.marks[path] = Mark(self.text.count("\n") + 1, len(line) + 1)

    def blocks(self, value: JsonValue, path: PathSteps, indent: int) -> None:
        if not children(value):
            self.text += json.dumps(value, ensure_ascii=False) + "\n"
        for number, (step, child) in enumerate(children(value)):
            # An item's first line goes on behind its dash, a member's value on a line of its own.
            self.text += " " * indent if number or not self.text.endswith("- ") else ""
            self.text += "- " if isinstance(step, int) else ""
            self.note((*path, step))
            if isinstance(step, str):
                self.text += f"{json.dumps(step, ensure_ascii=False)}: " + ("\n" if children(child) else "")
            self.blocks(child, (*path, step), indent + 2)

    def json(self, value: JsonValue, path: PathSteps) -> None:
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
def test_every_path_of_a_yaml_document_leads_to_its_line(value: JsonValue) -> None:
    """
    For each key and list item, the position is where it was written.
    """
    writer = Writer()
    writer.blocks(value, (), 0)

    document = only(writer.text)

    assert document.value == value
    assert {path: document.mark(path) for path in writer.marks} == writer.marks


@given(value=json_values(TEXT).filter(lambda value: isinstance(value, dict | list)))
def test_every_path_of_a_json_value_leads_to_its_line(value: JsonValue) -> None:
    """
    For each name and item of JSON, the position is where it was written.
    """
    writer = Writer()
    writer.text = "\n "
    writer.json(value, ())

    document = only(writer.text)

    assert document.value == value
    assert {path: document.mark(path) for path in writer.marks} == writer.marks


def test_the_limits_are_those_promised() -> None:
    """
    10 MiB, 512 levels, 1,000 aliases, 1,000,000 nodes, 50,000 documents.
    """
    limits = (kubeyaml.MAX_BYTES, kubejson.MAX_DEPTH, kubebuild.MAX_ALIASES, kubejson.MAX_NODES, kubeyaml.MAX_DOCUMENTS)

    assert limits == (10_485_760, 512, 1_000, 1_000_000, 50_000)
