"""
Values that API servers store and Migratable does not read: too deep for a decoder, or of a wrong type.

In a manifest, one word marks the place of a nested value, because ``json`` cannot write it. ``rendered`` inserts the value
into the text.
"""

import json
import re
from typing import Any

from hypothesis import strategies as st

from tests.generating import Manifest

DEPTHS = (3, 510, 600, 960, 1_100, 3_000, 9_900)
_BRACKETS = {"l": ("[", "]"), "o": ('{"k":', "}"), "f": ('{"f:a":[', "]}")}
_WORD = re.compile(r'"@@(\d+)([lof])@@"')


def deep(depth: int, shape: str = "l") -> str:
    """The word for a value of so many levels: lists (l), objects (o), or both in turn (f)."""
    return f"@@{depth}{shape}@@"


def rendered(manifest: Manifest) -> bytes:
    """The manifest as JSON text, with its nested values."""

    def nested(word: re.Match[str]) -> str:
        opening, closing = _BRACKETS[word[2]]
        return opening * int(word[1]) + "1" + closing * int(word[1])

    return _WORD.sub(nested, json.dumps(manifest)).encode()


NESTED = st.builds(deep, st.sampled_from(DEPTHS), st.sampled_from("lof"))
MISTYPED: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(-9, 9), st.booleans(), st.just([7]), st.just({"a": 1}), st.just("text")
)
ODD = st.one_of(NESTED, MISTYPED)
MANAGED_FIELDS = st.lists(
    st.fixed_dictionaries(
        {"manager": st.just("tenant"), "operation": st.just("Update"), "fieldsV1": st.one_of(NESTED, st.just({}))}
    ),
    max_size=2,
)
OWNERS = st.lists(st.one_of(ODD, st.fixed_dictionaries({"name": ODD, "kind": ODD, "controller": ODD})), max_size=2)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "managedFields": MANAGED_FIELDS,
        "labels": st.one_of(ODD, st.dictionaries(st.sampled_from(("app", "tier")), ODD, max_size=2)),
        "annotations": st.one_of(ODD, st.dictionaries(st.sampled_from(("note", "by")), ODD, max_size=2)),
        "ownerReferences": st.one_of(ODD, OWNERS),
        "finalizers": ODD,
        "selfLink": ODD,
        "x": ODD,
    },
)
"""What may stand beside the name in metadata of which no schema says anything."""
