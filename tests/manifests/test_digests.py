"""Hashes by name, in little memory."""

from collections.abc import Sequence
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import digests
from webhook.manifests.digests import Digests

CHANGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(-(2**63), 2**63 - 1)))


@given(CHANGES, st.integers(0, 3), st.integers(1, 6))
def test_digests_are_the_same_as_in_a_dict(changes: Sequence[tuple[str, int | None]], most: int, hashes: int) -> None:
    """
    Most entries leave the dict. They can be replaced, deleted and added again. Several names can have the same hash. The order
    is that of a dict, except for entries that were deleted.
    """
    expected: dict[str, int] = {}
    deleted = set[str]()
    with (
        patch.object(digests, "MOST_RECENT", most),
        patch.object(digests, "hash", lambda name: ord(name) % hashes, create=True),
    ):
        found = Digests()
        for name, digest in changes:
            if digest is not None:
                expected[name] = found[name] = digest
            elif name in expected:
                del expected[name], found[name]
                deleted.add(name)
            assert len(found) == len(expected)

        assert dict(found) == expected
        assert [name for name in found if name not in deleted] == [name for name in expected if name not in deleted]
        assert [name for name in "abcdefg" if name in found] == [name for name in "abcdefg" if name in expected]
