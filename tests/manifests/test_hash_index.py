"""The index of numbers by hash."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from webhook.manifests.hash_index import HashIndex


@given(st.lists(st.tuples(st.one_of(st.integers(0, 130), st.integers(-(2**63), 2**63 - 1)), st.integers(0, 2**62))))
def test_an_index_finds_all_numbers_of_a_hash(entries: list[tuple[int, int]]) -> None:
    """
    The hashes can be near each other, which makes long runs of slots. The hash 0 counts as 1.
    """
    index = HashIndex()
    expected: dict[int, list[int]] = defaultdict(list)
    for key, number in entries:
        index.add(key, number)
        expected[key or 1].append(number)

    assert {key: sorted(index.find(key)) for key in expected} == {key: sorted(of) for key, of in expected.items()}
    assert sorted(index) == sorted((key, number) for key, of in expected.items() for number in of)
    assert len(index) == len(entries)
    assert index.find(999) == expected.get(999, [])


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**32 - 1))), st.integers(0, 130))
def test_a_small_index_finds_at_least_the_numbers_of_a_hash(entries: list[tuple[int, int]], other: int) -> None:
    """
    It compares 32 bits of a hash.
    """
    index = HashIndex(is_small=True)
    for key, number in entries:
        index.add(key, number)
        index.add(key + 2**32 if key < 0 else key - 2**32, other)

    for key, number in entries:
        assert {number, other} <= set(index.find(key))
    assert len(index) == 2 * len(entries)
