"""Rehearsed drains, beside a real kube-scheduler. `python -m tests.apiserver.scheduler.drains` compares more of them."""

from collections.abc import Callable, Iterator

import pytest

from tests.apiserver.scheduler.clusters import Bench
from tests.apiserver.scheduler.runs import bench
from tests.apiserver.scheduler.sequences import Figures, run
from tests.conftest import FIGURE
from webhook.drain import placement

pytestmark = [pytest.mark.apiserver, pytest.mark.scheduler]
DRAINS = 14
FIRST = 5000
CONTESTED = 15
"""A drain in which VMs compete for nodes."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Bench]:
    with bench() as running:
        yield running


def test_target_pods_of_generated_drains_fit_as_the_rehearsal_says(
    opened: Bench, record_property: Callable[[str, object], None]
) -> None:
    """
    A VM that moves gets a node in every order of creation, and one that may not fit is left over in at least one order.
    """
    figures = Figures()

    differences = list(run(opened, DRAINS, FIRST, figures))

    record_property(FIGURE, f"kube-scheduler: {figures.orders} orders of {figures.machines.total()} target pods")
    assert differences == []
    assert (figures.drains, figures.machines["unknown"]) == (DRAINS, 0)
    assert set(figures.machines) == {"fits", "may not fit", "fits no node"}
    assert figures.orders >= 4 * DRAINS


def test_an_order_that_the_rehearsal_does_not_try_is_found(opened: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The comparison finds a difference: the rehearsal tries one order, and VMs that are left over in another seem to fit.
    """
    monkeypatch.setattr(placement, "usual_trials", lambda *_: ())
    monkeypatch.setattr(placement, "hostile_trials", lambda *_: ())

    differences = list(run(opened, 1, CONTESTED, Figures()))

    assert {difference.problem for difference in differences} == {"wrong fit"}
