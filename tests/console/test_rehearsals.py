"""When drains are rehearsed, and the consequence of errors."""

import gc
import weakref

import pytest

from tests.clocks import Clock
from tests.drain.fleets import as_fleet, kubevirt, node, owned, vmi
from webhook.check.check import Settings
from webhook.console.rehearsals import Rehearsals, pause_after, rehearsed
from webhook.facts.fleet import Fleet

FLEET = as_fleet((node("n1"), node("n2"), kubevirt(), *owned(vmi("vm", "n1"))))


def same(fleet: Fleet) -> Fleet:
    return fleet


@pytest.mark.parametrize(("seconds", "pause"), [(0.0, 60.0), (5.0, 60.0), (15.0, 150.0)])
def test_a_pause_is_ten_times_as_long_as_the_rehearsal(seconds: float, pause: float) -> None:
    """
    And at least a minute.
    """
    assert pause_after(seconds) == pause


def test_rehearsals_repeat_until_the_end() -> None:
    """
    Each rehearsal lists the cluster again. Lists of 20 seconds make pauses of 200 seconds.
    """
    clock, pauses = Clock(), list[float]()

    def listed(_before: Fleet | None) -> Fleet:
        clock.advance(20)
        return FLEET

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        clock.advance(seconds)
        return len(pauses) == 3

    rehearsals = Rehearsals(listed, same, Settings, clock=clock, now=clock)
    rehearsals.run(wait)

    assert pauses == [200.0, 200.0, 200.0]
    assert rehearsals.last.drains.rehearsed_at == 1000.0 + 2 * 220.0


def test_an_internal_error_is_a_problem_and_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """
    The text of the error could contain objects, so only its type is shown. Repeated problems are logged once.
    """
    fleets = [FLEET]

    def listed(_before: Fleet | None) -> Fleet:
        return fleets.pop()

    rehearsals = Rehearsals(listed, same, Settings, clock=Clock(), now=Clock())
    for _ in range(3):
        rehearsals.rehearse()

    assert rehearsals.last.drains.problem == "internal error (IndexError)"
    assert rehearsals.last.drains.report is not None
    assert len(caplog.records) == 1


def test_a_cluster_without_nodes_has_no_rehearsal() -> None:
    """
    The problem is that of ``migratable drain --all``.
    """
    rehearsals = Rehearsals(lambda _before: as_fleet((kubevirt(),)), same, Settings, clock=Clock(), now=Clock())
    rehearsals.rehearse()

    assert rehearsals.last.drains.report is None
    assert rehearsals.last.drains.problem == "the input has no node, and no VMI on a node"
    assert rehearsals.explained("lab", "vm") is None


def test_an_old_fleet_needs_no_garbage_collection() -> None:
    """
    A rehearsal ends with ``gc.freeze``, after which objects in cycles stay for ever. Reference counts free the fleet.
    """
    gc.disable()
    try:
        _, explainer = rehearsed(as_fleet((node("n1"), node("n2"), kubevirt(), *owned(vmi("vm", "n1")))), "")
        assert explainer.explain("vm") is not None
        parts = [
            weakref.ref(part) for part in (explainer, explainer._inputs, explainer._search, explainer._search._state)
        ]
        del explainer
        assert [part() for part in parts] == [None] * 4
    finally:
        gc.enable()


def test_garbage_is_collected_after_a_rehearsal() -> None:
    """
    Collections are off only during a rehearsal, also if it fails.
    """
    states = list[bool]()

    def listed(_before: Fleet | None) -> Fleet:
        states.append(gc.isenabled())
        raise KeyError

    Rehearsals(listed, same, Settings, clock=Clock(), now=Clock()).rehearse()

    assert (states, gc.isenabled()) == ([False], True)
