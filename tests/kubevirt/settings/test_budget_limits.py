"""Properties and limits of budgets (webhook.kubevirt.settings.budget)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.kubevirt.settings.test_budget import GIGABIT
from webhook.kubevirt.releases import TABLE
from webhook.kubevirt.settings.budget import GB, GIB, Budget, budget_of, gigabytes, mebibytes_per_second
from webhook.kubevirt.settings.settings import in_force
from webhook.objects.quantity import parse_quantity

BUDGETS = st.builds(
    Budget,
    bandwidth=st.integers(0, 40),
    timeout=st.integers(-3, 200),
    post_copy=st.booleans(),
    pause=st.booleans(),
    link=st.sampled_from((0, 10**6, GIGABIT)),
    sharing=st.integers(1, 9),
)


@given(BUDGETS, st.integers(1, 10**12))
def test_no_larger_size_than_the_largest_finishes(budget: Budget, size: int) -> None:
    """
    The largest size finishes, one byte more does not, nor anything beyond; without a largest one every size finishes.
    """
    largest = budget.largest()

    if largest is None:
        assert budget.finishes(size)
    else:
        assert largest == 0 or budget.finishes(largest)
        assert not budget.finishes(largest + 1)
        assert not budget.finishes(largest + size)


@given(BUDGETS, st.integers(1, 10**12), st.integers(0, 10**12))
def test_bytes_that_do_not_extend_the_timeout_never_help(budget: Budget, size: int, uncounted: int) -> None:
    """
    Whatever finishes with something uncounted on top finishes without it.
    """
    assume(budget.finishes(size, uncounted))

    assert budget.finishes(size)


@given(st.integers(0, 10**15))
def test_gigabytes_are_decimal_and_rounded_up(size: int) -> None:
    """
    A GB counts as soon as it is begun, and a GiB is more than one.
    """
    counted = gigabytes(size)

    assert (counted - 1) * GB < size <= counted * GB
    assert gigabytes(GIB) == 2


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("0", 0),
        ("0Mi", 0),
        ("1m", 0),
        ("999m", 0),
        ("1500m", 1),
        ("1", 1),
        ("1023Ki", 1),
        ("1Mi", 1),
        ("1535Ki", 1),
        ("1536Ki", 2),
        ("1Gi", 1024),
        ("1G", 954),
        ("1.5Mi", 2),
    ],
)
def test_bandwidth_is_counted_in_whole_mebibytes(written: str, counted: int) -> None:
    """
    Less than one byte is 0, less than 1Mi is 1, and halves are rounded up.
    """
    quantity = parse_quantity(written)

    assert quantity is not None
    assert mebibytes_per_second(quantity) == counted


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        (Budget(0, 150), 150),
        (Budget(0, 150, pause=True), 300),
        (Budget(0, 1, pause=True), 2),
        (Budget(0, -1, pause=True), -1),
        (Budget(0, 0, pause=True), None),
        (Budget(0, 150, post_copy=True), None),
    ],
)
def test_a_pause_doubles_the_time_that_there_is(budget: Budget, seconds: int | None) -> None:
    """
    A timeout below zero ends a migration at once, also where KubeVirt may pause the guest.
    """
    assert budget.allowed(1) == seconds


def test_a_limit_of_one_is_a_limit() -> None:
    """
    One byte a second bounds the rate, and one second is a timeout. A size of zero takes no time.
    """
    assert Budget(0, 1, link=1).rate() == 1
    assert Budget(1, 1).largest() == 2**20
    assert Budget(1, 1).finishes(0)


def test_there_is_no_largest_size_where_only_time_or_rate_decides() -> None:
    """
    A timeout below zero lets nothing finish; a rate of one GB in a GB's time, or an unknown one, lets everything finish.
    """
    assert Budget(1, -1).largest() == 0
    assert Budget(0, 1, link=GB).largest() is None
    assert Budget(0, 1, link=GB - 1).largest() is not None
    assert Budget(0, 1).largest() is None


@pytest.mark.parametrize(
    ("post_copy", "disruption", "possible", "expected"),
    [
        (True, True, True, (True, False)),
        (True, True, False, (False, True)),
        (True, False, True, (False, False)),
        (False, True, True, (False, True)),
        (False, False, True, (False, False)),
    ],
)
def test_post_copy_needs_both_settings_and_a_vm_without_devices(
    post_copy: bool, disruption: bool, possible: bool, expected: tuple[bool, bool]
) -> None:
    """
    Where disruption is allowed and post-copy is not, or is not possible, the guest is paused.
    """
    written = {"allowPostCopy": post_copy, "allowWorkloadDisruption": disruption}

    result = budget_of(in_force(written, TABLE[-1]), post_copy_possible=possible)

    assert (result.post_copy, result.pause) == expected


def test_a_bandwidth_that_cannot_be_read_is_no_limit() -> None:
    """
    A rule of its own is about such a value.
    """
    assert budget_of({**in_force({}, TABLE[-1]), "bandwidthPerMigration": "much"}).bandwidth == 0


def test_a_link_of_unknown_bandwidth_does_not_bound_the_rate() -> None:
    """
    Without a link, only the settings limit the rate.
    """
    assert budget_of(in_force({}, TABLE[-1])).link == 0


def test_a_budget_is_hopeless_where_size_decides() -> None:
    """
    A VM above some size cannot finish however long its migration runs.
    """
    assert Budget(0, 1, link=GB - 1).hopeless() is True
    assert Budget(0, 1, link=GB).hopeless() is False
    assert Budget(0, 0, link=1).hopeless() is False
