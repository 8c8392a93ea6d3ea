"""Places that are found line by line are those of the composing pass, or there are none."""

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.machines import manifest
from tests.yaml.test_fast_reader import MANIFESTS, PIECES, SCALARS, edited
from webhook.errors import BadInput
from webhook.yaml.block_places import BlockPlaces, UnclearError
from webhook.yaml.composed_places import ComposedPlaces
from webhook.yaml.document import MAX_DOCUMENTS
from webhook.yaml.fast_reader import Parsed
from webhook.yaml.reader import read_exactly
from webhook.yaml.text import Place, Places, Text

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
    "a\u00a0: @@\u00a0\nb: |\n  c\u3000\n  \u00a0\n",
)


def documents(text: str) -> list[Parsed]:
    try:
        return read_exactly(Text(text, "test"), MAX_DOCUMENTS)
    except BadInput:
        return []


def places(known: Places, place: Place, path: str = "") -> Iterator[tuple[str, int, int]]:
    yield path, place.start, place.end
    for step, child in known.within(place).items():
        yield from places(known, child, f"{path}/{step}")


def in_blocks(text: str, document: Parsed) -> list[tuple[str, int, int]] | None:
    """Every place of a document, as it is found line by line; None where it is not."""
    base = text.rfind("\n", 0, document.start) + 1
    try:
        found = BlockPlaces(text, base, document.start, document.end)
    except UnclearError:
        return None
    return list(places(found, found.root))


def assert_equal(text: str) -> None:
    for document in documents(text):
        found = in_blocks(text, document)
        if found is not None:
            composed = ComposedPlaces(text, text.rfind("\n", 0, document.start) + 1, document.end)
            assert found == list(places(composed, composed.root))


@pytest.mark.parametrize("name", [*MANIFESTS, "a machine"])
def test_places_in_manifests_are_alike(name: str) -> None:
    """
    Every key and item of every manifest of this repository begins and ends where the composing pass says.
    """
    assert_equal(MANIFESTS.get(name) or manifest(0))


def test_what_people_write_is_seen_through() -> None:
    """
    The composing pass is the exception: all examples do without it.
    """
    texts = [text for name, text in MANIFESTS.items() if name.startswith("examples")]

    assert [text for text in [*texts, manifest(0)] if None in [in_blocks(text, each) for each in documents(text)]] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_places_around_a_scalar_are_alike(layout: str) -> None:
    """
    Whatever a value is, and however it is laid out.
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
def test_places_in_an_edited_manifest_are_alike(text: str) -> None:
    """
    Whatever an editor leaves behind: the same places from both, or none from the quick one.
    """
    assert_equal(text)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "\nk: ", "\n  k: ", "\n  - ", " |\n    "]), max_size=12).map("".join))
def test_places_in_any_pieces_are_alike(text: str) -> None:
    """
    Also of texts that nobody would write.
    """
    try:
        assert_equal(text)
    except yaml.YAMLError:
        pytest.fail("the composing pass reads what the careful reader reads")
