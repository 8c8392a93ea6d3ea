"""Waiting for a condition with a deadline. Only this module of the tests sleeps to wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 300.0
"""A deadline that only a hang reaches, also on a busy machine. A test decides by its condition, not by this time."""


def wait_until(condition: Callable[[], T], deadline_seconds: float, what: str) -> T:
    """
    The first true value that CONDITION returns.

    Raises TimeoutError, which names WHAT was awaited, when DEADLINE_SECONDS have passed; CONDITION is checked at least
    once, and may raise to end the wait early.
    """
    deadline = time.monotonic() + deadline_seconds
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {deadline_seconds:g} s in vain for {what}")
        time.sleep(PAUSE_SECONDS)
    return value
