"""certs.plan.Terms: the durations of a rotation, and their limits."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from certs.plan import (
    BUNDLE_SETTLE,
    LAGGING_INTERVAL,
    LEAF_SETTLE,
    Terms,
)
from tests.certs.world import NAMES

DAY, SECOND, NEVER = timedelta(days=1), timedelta(seconds=1), timedelta()


@pytest.mark.parametrize(
    "change",
    [
        {"names": ()},
        {"names": ("*.svc",)},
        {"bundle_settle": timedelta(seconds=-1)},
        {"leaf_lifetime": timedelta(minutes=9)},
        {"leaf_lifetime": timedelta(seconds=1), "bundle_settle": timedelta(), "leaf_settle": timedelta()},
        {"authority_lifetime": timedelta(days=6)},
    ],
)
def test_terms_that_cannot_work_are_refused(change: dict[str, object]) -> None:
    """
    A leaf has to outlive its own rotation, and an authority its leaves.
    """
    good: dict[str, object] = {"names": NAMES}

    with pytest.raises(ValueError, match=r"."):
        Terms(**{**good, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            {"leaf_lifetime": 3 * (BUNDLE_SETTLE + LEAF_SETTLE)},
            "the leaf lifetime must be longer than three times both settle",
        ),
        ({"leaf_lifetime": 3 * (BUNDLE_SETTLE + LEAF_SETTLE) + SECOND}, None),
        (
            {"leaf_lifetime": 2 * SECOND, "bundle_settle": NEVER, "leaf_settle": NEVER},
            "the leaf lifetime must be longer",
        ),
        ({"leaf_lifetime": 2.5 * SECOND, "bundle_settle": NEVER, "leaf_settle": NEVER}, None),
        ({"bundle_settle": -SECOND}, "a settle time must not be negative"),
        ({"leaf_settle": -SECOND}, "a settle time must not be negative"),
        ({"authority_lifetime": 7 * DAY}, None),
        ({"authority_lifetime": 7 * DAY - SECOND}, "the CA lifetime must not be shorter than the leaf lifetime"),
    ],
)
def test_terms_are_accepted_up_to_their_limits(change: dict[str, timedelta], error: str | None) -> None:
    """
    The shortest lifetimes that leave time for a rotation are accepted, and anything shorter is not.
    """
    expectation = nullcontext() if error is None else pytest.raises(ValueError, match=f"^{error}")

    with expectation:
        Terms(NAMES, **change)


def test_refused_terms_name_the_shortest_lifetime() -> None:
    """
    The error gives the three settle times as one duration.
    """
    with pytest.raises(ValueError, match=r"times \(0:09:12\)$"):
        Terms(NAMES, leaf_lifetime=SECOND)


def test_the_settle_times_cover_the_kubelet() -> None:
    """
    An API server has 4 seconds to read a new caBundle, a replica 3 minutes to serve a new leaf, and a late one 10 more.
    """
    assert (Terms(NAMES).bundle_settle, Terms(NAMES).leaf_settle) == (4 * SECOND, 180 * SECOND)
    assert LAGGING_INTERVAL == 10 * SECOND
