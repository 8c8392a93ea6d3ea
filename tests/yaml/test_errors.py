"""Errors of the YAML and JSON readers: each has a message, a place and a remedy."""

import pytest

from tests.yaml.reading import read_error
from webhook.yaml.document import MAX_BYTES

ERRORS = {
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


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_has_a_message_and_a_place(text: str) -> None:
    """
    An error names line, column, document and path, and has a remedy.
    """
    error = read_error(text)

    assert (error.message, error.line, error.column, error.document, error.path) == ERRORS[text]
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
        (b"#" * (MAX_BYTES + 1), "the input is larger than 10 MiB", None, None),
    ],
)
def test_bytes_that_are_not_text_are_an_error(
    content: bytes, message: str, line: int | None, column: int | None
) -> None:
    """
    A manifest is UTF-8, at most 10 MiB. A byte order mark at the start is ignored.
    """
    error = read_error(content)

    assert (error.message, error.line, error.column, error.source) == (message, line, column, "vm.yaml")


@pytest.mark.parametrize(
    "template", ["{{- if .Values.vm }}\na: 1\n", "a: {{ .Values.cores }}\n", "a: 1\n{{ include }}: 2\n"]
)
def test_the_error_for_a_template_says_how_to_render_it(template: str) -> None:
    """
    The remedy for a file of a chart is to render the chart first.
    """
    error = read_error(template)

    assert error.remedy == "Render the chart first: helm template ... | migratable check -f -"


def test_an_error_contains_no_values() -> None:
    """
    A value next to an error, such as a password, never gets into the message.
    """
    texts = ["password: CANARY\nb: [", "password: !x CANARY", "password: CANARY: x", '{"password": "CANARY",}}']

    errors = [read_error(text) for text in texts]

    assert "CANARY" not in "".join(f"{error.message} {error.remedy} {error.path}" for error in errors)
