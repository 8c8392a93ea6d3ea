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
