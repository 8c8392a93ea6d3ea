"""How deep an object nests is told without parsing it, and what stands in strings does not count."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.surfaces.admission.reviews import review, vm
from webhook.surfaces.admission.reading import MAX_DEPTH, Unreadable, read_review

MARKS = ("", "a", '"', "\\", '\\"', "[", "{", "}", '"[', '\\\\"[', "[]", "é", '\n"[')
TEXTS = st.sampled_from(MARKS) | st.text("[]{}\\\"'")
VALUES = st.recursive(
    TEXTS | st.integers(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)
LEVELS = st.sampled_from((0, 40, 250)) | st.integers(MAX_DEPTH - 14, MAX_DEPTH + 2)
WIDE = [{"f:a": {"f:b": []}}] * 400
"""So many brackets that they have to be followed."""


def depth_of(value: object) -> int:
    inner: list[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return max(map(depth_of, inner), default=0) + isinstance(value, dict | list)


@settings(deadline=None)
@example("x", "", MAX_DEPTH - 2, True, False)
@example("x", "", MAX_DEPTH - 1, True, False)
@example("x", "", MAX_DEPTH - 2, False, True)
@example("x", "", MAX_DEPTH - 1, False, True)
@given(VALUES, TEXTS, LEVELS, st.booleans(), st.booleans())
def test_nesting_is_refused_from_513_levels_on(
    value: object, text: str, levels: int, in_lists: bool, is_wide: bool
) -> None:
    """
    Whatever stands in strings and names: brackets, quotes, backslashes.
    """
    depth = 2 + levels + depth_of(value)
    for _ in range(levels):
        value = [value, text] if in_lists else {text: value, text + "z": text}

    read = read_review(review("CREATE", vm(status={"wide": WIDE if is_wide else [], "deep": value})))

    assert isinstance(read, Unreadable) == (depth > MAX_DEPTH)


def test_many_backslashes_cost_no_more_than_a_few() -> None:
    """
    A tenant's megabyte of escapes is looked at once, and not taken apart.
    """
    read = read_review(review("CREATE", vm(status={"wide": WIDE, "text": '\\"[' * 300_000})))

    assert not isinstance(read, Unreadable)
