"""The results of the files of a check (webhook.check.results)."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from webhook.check import results
from webhook.check.results import FileResult, Results, pack

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 1), st.booleans()), max_size=12)


@given(STEPS, st.booleans())
def test_a_later_result_of_a_file_replaces_the_earlier_one(
    steps: list[tuple[bool, int, int, bool]], is_large: bool
) -> None:
    """
    A result comes alone or packed. A result with a note stays in memory.
    """
    kept, expected = Results(is_large=is_large), dict[int, FileResult]()

    with patch.object(results, "BLOCK", 2):
        for is_packed, number, release, has_note in steps:
            result = FileResult([], (), frozenset({(str(release), ())}), ("a note",) if has_note else ())
            expected[number] = result
            alone = {number: result}
            if is_packed:
                kept.add(pack(alone))
            for each, one in alone.items():
                kept[each] = one

    in_order = [expected[number] for number in sorted(expected)]
    assert list(kept) == in_order
    assert len(kept) == len(expected)
    assert kept.used == frozenset().union(*(result.used for result in in_order))
    assert [note for result in kept.in_memory for note in result.notes] == [
        note for result in in_order for note in result.notes
    ]
