"""How deep an object may nest, whatever else is in it."""

import itertools
import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.surfaces.admission.reviews import review, vm
from webhook.objects import json_depth
from webhook.objects.json_depth import MAX_DEPTH
from webhook.surfaces.admission.requests import UnreadableRequest, read_review

PLACE = "the-place"
FILLING = st.lists(
    st.sampled_from(
        ('{"a":1}', "{}", "[]", "[1]", '"}"', '"]]]]"', '"{[{["', r'"\""', r'"\\"', r'"\\\"{"', "1", "{ }")
    ),
    max_size=4,
).map(lambda parts: ",".join([*parts, "0"]))


def object_with(value: str) -> bytes:
    """A review of a VM with a value in a field that is never read."""
    body = review("CREATE", vm(template={"metadata": {PLACE: "?"}}))
    return body.replace(b'"?"', value.encode())


def levels(text: bytes) -> int:
    """How deep JSON nests, by what a decoder makes of it, without recursion."""
    deepest, here = 0, [(json.loads(text)["request"]["object"], 1)]
    while here:
        value, depth = here.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, depth)
            here += [(child, depth + 1) for child in (value.values() if isinstance(value, dict) else value)]
    return deepest


@settings(deadline=None, max_examples=300)
@given(
    depth=st.integers(MAX_DEPTH - 8, MAX_DEPTH + 2),
    listed=st.booleans(),
    before=FILLING,
    after=FILLING,
    padding=st.tuples(st.integers(0, 600), st.integers(0, 600)),
    where=st.sampled_from(("{}", '{"a":"}"}', '"' + "{" * 600 + '"', "[[]]", '"x"')),
)
def test_an_object_is_denied_only_above_the_limit_of_nesting(
    depth: int, listed: bool, before: str, after: str, padding: tuple[int, int], where: str
) -> None:
    """
    However wide it is, whatever its strings hold, and wherever in it the depth lies.
    """
    opening, closing = (f"[{before},", f",{after}]") if listed else ('{"k":', f',"l":[{after}]}}')
    nested = opening * depth + "0" + closing * depth
    wide = ",".join([where] * padding[0] + [nested] + [where] * padding[1])
    body = object_with(f"[{wide}]")

    assert isinstance(read_review(body), UnreadableRequest) == (levels(body) > MAX_DEPTH)


def test_depth_that_is_just_allowed_is_not_counted_bracket_by_bracket(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Three MiB of brackets with almost the allowed depth, repeated, must not delay other reviews.
    """
    nested = b"[" * 500 + b"]" * 500
    body = object_with("[" + ",".join([nested.decode()] * 3000) + "]")
    counted: list[int] = []

    def accumulate(steps: Sequence[int], *, initial: int) -> Iterator[int]:
        counted.append(len(steps))
        return itertools.accumulate(steps, initial=initial)

    monkeypatch.setattr(json_depth, "accumulate", accumulate)

    read = read_review(body)

    assert not isinstance(read, UnreadableRequest)
    assert sum(counted) < len(body) / 100
