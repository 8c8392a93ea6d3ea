"""Places found line by line are equal to those of composed nodes, or there are none (webhook.yaml.block_places)."""

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.generators.tidy import manifest
from tests.yaml.test_block_reader import MANIFESTS, PIECES, SCALARS, edited
from webhook.errors import BadInput
from webhook.yaml.block_places import block_place
from webhook.yaml.composed_places import composed_place
from webhook.yaml.document import MAX_DOCUMENTS
from webhook.yaml.reader import read_exactly
from webhook.yaml.text import JsonValue, Parsed, Place, Text
from webhook.yaml.texts import UnclearError

LAYOUTS = (
    "a: @@\nb: c",
    "a:\n- @@\n- b: @@\n  c: d",
    "a:\n  - b:\n      - c: @@\n        d: {e: @@}\n    f: [g, @@]\nh: @@",
    "a: |\n  @@\n\n  b\n\nc: d",
    "a: >-\n\n    @@\n   # c\nb: c",
    "- a: |\n    @@\n  b: @@ # c\n- |+\n @@\n\n- c",
    "a: # c\n  @@: b\n  c: @@ \n # d\n\n",
    "a:\n  b:\n  c: @@\n d:",
    "a: b\n  @@\nc: d",
    "a: 'b\n  @@: c'\nd: \"@@\n  e: f\"",
    "a: {b: @@,\nc: d}\ne: f",
    "a:\n  b:\n# c\n    @@\n  -d:\n  # c\n     @@\ne:\n-\n# c\n  @@\n- f",
    "a\u00a0: @@\u00a0\nb: |\n  c\u3000\n  \u00a0\n",
)


def documents(text: str) -> list[Parsed]:
    try:
        return read_exactly(Text(text, "test"), MAX_DOCUMENTS)
    except BadInput:
        return []


def places(place: Place, value: JsonValue) -> list[tuple[str, int, int]]:
    """The place of each part of a value. All other steps are absent."""
    return list(_places(value, place, ""))


def _places(value: JsonValue, place: Place, path: str) -> Iterator[tuple[str, int, int]]:
    yield path, place.start, place.end
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        child = place.child(step)
        assert child is not None
        yield from _places(member, child, f"{path}/{step}")
    for absent in ("absent", len(value) if isinstance(value, list) else 0):
        assert (isinstance(value, dict) and absent in value) or place.child(absent) is None


def block_places(text: str, document: Parsed) -> list[tuple[str, int, int]] | None:
    """All places of a document, found line by line; None for YAML that is not plain block YAML."""
    base = text.rfind("\n", 0, document.start) + 1
    try:
        place = block_place(text, base, document.start, document.end)
    except UnclearError:
        return None
    return places(place, document.value)


def assert_equal(text: str) -> None:
    for document in documents(text):
        from_lines = block_places(text, document)
        if from_lines is not None:
            base = text.rfind("\n", 0, document.start) + 1
            composed = composed_place(text, base, document.start, document.end)
            assert from_lines == places(composed, document.value)


@pytest.mark.parametrize("name", [*MANIFESTS, "a machine"])
def test_places_in_manifests_are_equal(name: str) -> None:
    """
    Every key and item in the manifests of this repository has the same place in both modules.
    """
    assert_equal(MANIFESTS.get(name) or manifest(0))


def test_the_examples_are_plain_block_yaml() -> None:
    """
    No example needs composed nodes.
    """
    texts = [text for name, text in MANIFESTS.items() if name.startswith("examples")]

    for text in [*texts, manifest(0)]:
        assert None not in [block_places(text, document) for document in documents(text)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_places_around_a_scalar_are_equal(layout: str) -> None:
    """
    This holds for any scalar in any layout.
    """
    for scalar in SCALARS:
        text = layout.replace("@@", scalar)
        assert_equal(text)
        assert_equal(f"# c\n---\n{text}\n# c\n\n---\nx: y\n")


@settings(max_examples=1500, deadline=None)
@given(edited())
@example("a: |\n  b\n # c\nd: e\n")
@example("a:\n- b\n-  c: d\n   e: f\n")
@example("a: b#c # d\n")
@example("- a\n  - 'b # c'\n")
@example("a:\n\u3000\n")
def test_places_in_an_edited_manifest_are_equal(text: str) -> None:
    """
    After any edit, both modules find the same places, or block_places finds none.
    """
    assert_equal(text)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "\nk: ", "\n  k: ", "\n  - ", " |\n    "]), max_size=12).map("".join))
def test_places_in_any_pieces_are_equal(text: str) -> None:
    """
    This holds for random pieces of YAML, too.
    """
    try:
        assert_equal(text)
    except yaml.YAMLError:
        pytest.fail("PyYAML does not compose a text that the exact reader reads")
