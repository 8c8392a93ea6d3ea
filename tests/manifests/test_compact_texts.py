"""Many texts, and hashes by name, in little memory."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests import compact_texts, digests
from webhook.manifests.compact_texts import CompactTexts
from webhook.manifests.digests import Digests

TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=5)


@given(st.lists(TEXTS), st.lists(st.integers(-40, 40)))
def test_compact_texts_are_the_same_as_in_a_list(texts: list[str], numbers: list[int]) -> None:
    """
    Also texts that are not UTF-8, and in any order of reading.
    """
    with patch.object(compact_texts, "_BLOCK", 3):
        compact = CompactTexts()
        compact.extend(texts)

        assert list(compact) == texts
        assert compact[1:] == texts[1:]
        assert [compact[each] for each in numbers if each in range(-len(texts), len(texts))] == [
            texts[each] for each in numbers if each in range(-len(texts), len(texts))
        ]


def test_paths_of_neighbours_take_a_tenth_of_their_characters() -> None:
    paths = [f"/repository/clusters/production/vm-{number:05}/templates/virtualmachine.yaml" for number in range(6_400)]
    compact = CompactTexts()
    compact.extend(paths)

    assert len(compact._compressed) < sum(map(len, paths)) / 10


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(-(2**63), 2**63 - 1))), st.integers(0, 3))
def test_digests_are_the_same_as_in_a_dict(changes: list[tuple[str, int | None]], most: int) -> None:
    """
    Most entries leave the dict. They can be replaced, deleted and added again. The order is that of a dict, except for entries
    that were deleted.
    """
    expected: dict[str, int] = {}
    with patch.object(digests, "MOST_RECENT", most):
        found = Digests(expected)
        for name, digest in changes:
            if digest is not None:
                expected[name] = found[name] = digest
            elif name in expected:
                del expected[name], found[name]
            assert len(found) == len(expected)

    assert dict(found) == expected
    assert [name for name in "abcdefg" if name in found] == [name for name in "abcdefg" if name in expected]
