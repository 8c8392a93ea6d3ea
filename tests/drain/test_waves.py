"""The time of a drain is a range that holds for every order of its migrations."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from webhook.drain.plan import Seconds
from webhook.drain.waves import ASKS_AGAIN, UNSCHEDULABLE, together

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
    assert together({"n1": [Seconds(10, 10)], "n2": []}, 2, 0) == {"n1": None, "n2": Seconds(0, 0)}


def test_the_migrations_of_a_node_share_its_slots() -> None:
    """
    The best time is a half of the sum, rounded up. In the worst case the longest migration starts after a half of the others.
    """
    three = [Seconds(20, 60), Seconds(21, 90), Seconds(22, 120)]

    assert together({"n1": three, "n2": []}, 2, 5) == {"n1": Seconds(32, 75 + 120 + 5), "n2": Seconds(0, 0)}
    assert together({"n1": three}, 2, 1) == {"n1": Seconds(63, 150 + 150 + 120 + 5)}


def test_a_drain_takes_at_least_as_long_as_its_longest_migration() -> None:
    """
    More slots do not help.
    """
    told = together({"n1": [Seconds(10, 10), Seconds(50, 50)]}, 2, 5)["n1"]

    assert told == Seconds(50, 5 + 50 + 5)


def test_the_limit_of_the_cluster_matters_only_if_all_nodes_together_exceed_it() -> None:
    """
    Two nodes with two slots each take at most four slots, however many VMIs they have.
    """
    nodes = {"n1": [Seconds(10, 10)] * 2, "n2": [Seconds(10, 10)] * 3}

    assert together(nodes, 2, 4)["n1"] == Seconds(10, 5 + 10 + 5)
    assert together(nodes, 2, 3)["n1"] == Seconds(10, 5 + 13 + 10 + 5)


def test_a_migration_without_a_limit_on_another_node_matters_if_the_nodes_share_slots() -> None:
    """
    It can hold a slot of the cluster for any time.
    """
    nodes = {"n1": [Seconds(10, 10)], "n2": [Seconds(10)]}

    assert together(nodes, 2, 1)["n1"] == Seconds(10, None)
    assert together(nodes, 2, 5)["n1"] == Seconds(10, 15)


def test_an_unschedulable_target_pod_holds_its_slots_for_five_minutes() -> None:
    """
    KubeVirt deletes the pod then (``defaultUnschedulablePendingTimeoutSeconds``).
    """
    assert UNSCHEDULABLE == 300
