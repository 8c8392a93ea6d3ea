"""The time of a drain is a range that holds for every order of its migrations."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from webhook.drain.plan import Seconds
from webhook.drain.waves import ASKS_AGAIN, together

TIMES = st.lists(st.integers(0, 500), min_size=1, max_size=8)


def in_order(times: list[int], slots: int) -> int:
    """The time until the last of these migrations ends, if they start in this order."""
    free = [0] * slots
    for time in times:
        free.sort()
        free[0] += time
    return max(free)


@given(TIMES, st.integers(1, 4), st.randoms(use_true_random=False))
def test_no_order_of_migrations_leaves_the_range(times: list[int], slots: int, random: Random) -> None:
    """
    Each order of the same migrations ends within the best and the worst time.
    """
    random.shuffle(times)

    taken = in_order(times, slots)
    told = together({"n1": [Seconds(time, time) for time in times]}, slots, 100)["n1"]

    assert told is not None
    assert told.worst is not None
    assert told.best <= taken <= told.worst


def test_one_migration_takes_its_own_time_and_the_pause_of_kubectl() -> None:
    """
    kubectl requests the eviction again after five seconds.
    """
    assert together({"n1": [Seconds(10, 60)]}, 2, 5) == {"n1": Seconds(10, 60 + ASKS_AGAIN)}


def test_nodes_that_are_drained_together_share_the_limit_of_the_cluster() -> None:
    """
    With one slot in the cluster, the migrations of the other node come first in the worst case.
    """
    both = together({"n1": [Seconds(10, 10)], "n2": [Seconds(10, 10)]}, 2, 1)

    assert both["n1"] == Seconds(10, 20 + ASKS_AGAIN)


def test_a_migration_without_a_limit_leaves_the_end_open() -> None:
    """
    If one migration may take any time, the drain may, too.
    """
    assert together({"n1": [Seconds(10, 10), Seconds(10)]}, 2, 5) == {"n1": Seconds(10, None)}


def test_without_a_slot_the_time_is_unknown() -> None:
    """
    A parallel limit of 0 lets no migration start. A node without VMIs takes no time.
    """
    assert together({"n1": [Seconds(10, 10)], "n2": []}, 0, 5) == {"n1": None, "n2": Seconds(0, 0)}
