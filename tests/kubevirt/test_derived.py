"""Values that are made from lists of a world (webhook.facts.derived)."""

from webhook.facts.derived import Derived


def test_a_value_is_made_once_for_the_same_lists() -> None:
    """
    Equal lists are not the same lists: comparing them takes as long as making the value.
    """
    made: list[tuple[list[int], ...]] = []

    def total(*lists: list[int]) -> int:
        made.append(lists)
        return sum(map(sum, lists))

    first, equal, other = [1], [1], [2]
    totals = Derived(total)

    values = [totals.of(first, other), totals.of(first, other), totals.of(equal, other), totals.of(first), totals.of()]

    assert values == [3, 3, 3, 1, 0]
    assert made == [(first, other), (equal, other), (first,), ()]
