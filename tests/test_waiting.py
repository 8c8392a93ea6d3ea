"""Waiting ends with a value, or with an error that names the condition."""

from collections.abc import Iterator

import pytest

from tests.waiting import wait_until


def test_waiting_returns_the_first_true_value() -> None:
    """
    The condition is repeated until its value is true.
    """
    answers: Iterator[object] = iter([None, 0, "", "found", "not asked for"])

    value = wait_until(lambda: next(answers), 5, "an answer")

    assert (value, next(answers)) == ("found", "not asked for")


def test_a_true_condition_needs_no_time() -> None:
    """
    The condition is evaluated once even if the deadline is zero.
    """
    assert wait_until(lambda: "there", 0, "nothing") == "there"


def test_a_failed_wait_names_its_condition() -> None:
    """
    A deadline that passes is an error, never a false value.
    """
    with pytest.raises(TimeoutError, match=r"^waited 0.05 s in vain for the moon$"):
        wait_until(lambda: False, 0.05, "the moon")


def test_an_error_of_the_condition_ends_the_wait() -> None:
    """
    The error is raised unchanged.
    """
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, 60, "a quotient")
