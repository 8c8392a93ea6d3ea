"""Nesting depth of JSON text, measured and cut without recursion (webhook.objects.json_depth)."""

import ast
import json
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import webhook
from webhook.objects.json_depth import MAX_DEPTH, decode, deep_places, is_deep, truncated

TEXTS = st.sampled_from(("", "a", "k", "]", "{[", '"', "\\", '\\"', "é", ":"))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=25,
)
INDENTS = st.sampled_from((None, 1))
LIMITS = st.integers(0, 5)
DEPTHS = (400, 600, 1_100, 3_000, 9_990)


def depth_of(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)


def cut(value: Any, limit: int) -> Any:
    """The result that ``truncated`` promises, computed by recursion. None replaces removed content."""
    if not isinstance(value, dict | list):
        return value
    if limit == 0:
        return type(value)() if not value else None
    if isinstance(value, list):
        return [cut(item, limit - 1) for item in value]
    return {key: cut(member, limit - 1) for key, member in value.items()}


def marked(value: Any, limit: int) -> Any:
    """The same for a value from ``truncated``."""
    if not isinstance(value, dict | list):
        return value
    if limit == 0:
        assert len(value) <= 1
        return type(value)() if not value else None
    if isinstance(value, list):
        return [marked(item, limit - 1) for item in value]
    return {key: marked(member, limit - 1) for key, member in value.items()}


@settings(deadline=None)
@given(VALUES, LIMITS, INDENTS)
def test_truncated_text_is_the_same_above_the_limit_and_flat_below(value: Any, limit: int, indent: int | None) -> None:
    """
    The result nests at most one level deeper than the limit. Every value above the limit keeps its type and content.
    """
    text = json.dumps(value, indent=indent).encode()

    document = json.loads(truncated(text, limit))

    assert marked(document, limit) == cut(value, limit)
    assert depth_of(document) <= limit + 1
    assert not is_deep(truncated(text, limit), limit + 1)


@settings(deadline=None)
@given(VALUES, LIMITS, INDENTS)
def test_depth_is_what_recursion_counts(value: Any, limit: int, indent: int | None) -> None:
    """
    Text is deep exactly if a recursive count says so. Only then it has deep places.
    """
    text = json.dumps(value, indent=indent).encode()

    assert is_deep(text, limit) == (depth_of(value) > limit)
    assert bool(deep_places(text, limit)) == (depth_of(value) > limit)


@settings(deadline=None)
@given(VALUES, VALUES, LIMITS)
def test_different_texts_stay_different(one: Any, other: Any, limit: int) -> None:
    """
    A digest replaces the removed content, so a change in that content is still a change.
    """
    left, right = json.dumps(one).encode(), json.dumps(other).encode()

    assert (truncated(left, limit) == truncated(right, limit)) == (left == right)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b'{"spec": {"template": {"x": [[[1]]]}}}', {("spec", "template", "x")}),
        (b'{"a": {"b": {"c": {"d": {}}}}, "e": [{"f": [{}]}]}', {("a", "b", "c", "d"), ("e", "f")}),
        (b'{"a": ["text", [[[]]]], "b": 1}', {("a",)}),
        (b"[[[[[]]]]]", {()}),
        (b'{"a": {"b": {}}}', set()),
    ],
)
def test_a_deep_place_is_named_by_the_keys_of_its_path(text: bytes, places: set[tuple[str, ...]]) -> None:
    """
    List items, and strings that are not keys, do not count.
    """
    assert deep_places(text, 4) == places


class Named(msgspec.Struct):
    """A struct with one field."""

    name: str


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"k":', "}")], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_deep_fields_that_are_not_read_do_not_prevent_decoding(depth: int, brackets: tuple[str, str]) -> None:
    """
    A field next to a deep one is read, in the main thread and in other threads, on every Python version.
    """
    opening, closing = brackets
    text = f'{{"x": {opening * depth}1{closing * depth}, "name": "n"}}'.encode()
    read: list[Named] = []
    reading = threading.Thread(target=lambda: read.append(decode(msgspec.json.Decoder(Named), text)))

    reading.start()
    reading.join()

    assert read == [Named("n")]
    assert decode(msgspec.json.Decoder(Named), text) == Named("n")
    assert isinstance(decode(msgspec.json.Decoder(), truncated(text)), dict)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_value_in_a_typed_field_is_a_wrong_type(depth: int) -> None:
    """
    A list that is cut is still a list, not a string.
    """
    text = b'{"name": ' + b"[" * depth + b"]" * depth + b"}"

    with pytest.raises(msgspec.ValidationError, match="Expected `str`"):
        decode(msgspec.json.Decoder(Named), text)


@pytest.mark.parametrize("junk", [b"[" * 5_000, b"]" * 5_000, b'"' + b"[" * 5_000, b'{"a":' * 5_000])
def test_text_that_is_not_json_raises_decode_error(junk: bytes) -> None:
    """
    The error is DecodeError at any depth.
    """
    with pytest.raises(msgspec.DecodeError):
        decode(msgspec.json.Decoder(), junk)


def test_three_mebibytes_of_brackets_are_cut() -> None:
    """
    The size does not matter: nothing overflows.
    """
    text = b'{"x":' + b"[" * 1_500_000 + b"]" * 1_500_000 + b"}"

    assert len(truncated(text)) < 4 * MAX_DEPTH


def test_only_one_function_calls_a_json_decoder() -> None:
    """
    ``json_depth.decode`` is the only caller of msgspec's JSON decoders, because only it handles any depth.
    """
    own = Path(webhook.__file__).parent
    others = {
        own / "objects" / "json_depth.py",
        own / "surfaces" / "api" / "judge" / "messages.py",
        own / "surfaces" / "api" / "console" / "messages.py",
        own / "check" / "results.py",
        own / "check" / "stored_objects.py",
        own / "kubevirt" / "expansion" / "bundled.py",
    }  # the last one reads files of this package, and those before it read msgpack with a decoder
    modules = [module for module in own.rglob("*.py") if module not in others]

    calls = [
        (module.name, getattr(node, "lineno", 0))
        for module in modules
        for node in ast.walk(ast.parse(module.read_text()))
        if decodes(node)
    ]

    assert calls == []


def decodes(node: ast.AST) -> bool:
    """Whether the node calls ``decode`` with an argument other than the name of an encoding, and not to read msgpack."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "decode"
        and ast.unparse(node.func) != "msgspec.msgpack.decode"
        and any(not isinstance(argument, ast.Constant) for argument in node.args)
    )
