"""Waiting ends with a value, or with an error that says what was awaited."""

from collections.abc import Iterator

import pytest

from tests.waiting import wait_until


def test_the_first_true_value_is_the_answer() -> None:
    """
    The condition is asked until it says something true, and that is returned.
    """
    answers: Iterator[object] = iter([None, 0, "", "found", "not asked for"])

    value = wait_until(lambda: next(answers), 5, "an answer")

    assert (value, next(answers)) == ("found", "not asked for")


def test_a_condition_that_holds_needs_no_time() -> None:
    """
    With no time at all the condition is still asked once.
    """
    assert wait_until(lambda: "there", 0, "nothing") == "there"


def test_a_wait_in_vain_names_what_was_awaited() -> None:
    """
    A deadline that passes is an error, never a false value.
    """
    with pytest.raises(TimeoutError, match=r"^waited 0.05 s in vain for the moon$"):
        wait_until(lambda: False, 0.05, "the moon")


def test_a_condition_may_end_the_wait() -> None:
    """
    An error of the condition passes through at once.
    """
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, 60, "a quotient")
