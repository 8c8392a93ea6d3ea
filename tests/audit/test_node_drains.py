"""Rehearsals of drains for metrics."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.drain.fleets import kubevirt, node, owned, vmi
from tests.report.test_audit_metrics import value
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.audit.node_drains import DrainMonitor, DrainProcess
from webhook.drain.plan import Outcome
from webhook.errors import Unavailable
from webhook.report.drain_metrics import DrainedNode, NodeDrains
from webhook.report.metrics_text import render

GOOD = NodeDrains((DrainedNode("n1", Outcome.MOVES),))
NO_PODS = NodeDrains((DrainedNode("n1", Outcome.MOVES),), ("Pod: reading pods is forbidden",), ("Pod",))


def answers(*results: NodeDrains | Unavailable) -> Callable[[], NodeDrains]:
    left = [*results]

    def rehearse() -> NodeDrains:
        result = left.pop(0)
        if isinstance(result, Unavailable):
            raise result
        return result

    return rehearse


def outcome(monitor: DrainMonitor, name: str) -> float | None:
    return value(render(monitor.families()), "migratable_node_drain", node="n1", outcome=name)


def no_answer(why: str = "no answer") -> Unavailable:
    return Unavailable(why, remedy="")


def test_there_are_no_outcomes_before_the_first_rehearsal() -> None:
    """
    Absent is not drainable.
    """
    assert not DrainMonitor(answers(), 1).families()


def test_the_outcomes_are_those_of_the_last_rehearsal() -> None:
    """
    With its time.
    """
    monitor = DrainMonitor(answers(GOOD), 1, clock=lambda: 4.5)
    monitor.rehearse()

    assert outcome(monitor, "moves") == 1
    assert value(render(monitor.families()), "migratable_node_drain_timestamp_seconds") == 4.5


def test_a_rehearsal_that_fails_makes_the_outcomes_unknown() -> None:
    """
    The time of the last good one stays.
    """
    times = iter([4.5])
    monitor = DrainMonitor(answers(GOOD, no_answer()), 1, clock=lambda: next(times))
    monitor.rehearse()
    monitor.rehearse()

    assert outcome(monitor, "moves") == 0
    assert outcome(monitor, "unknown") == 1
    assert value(render(monitor.families()), "migratable_node_drain_timestamp_seconds") == 4.5


def test_the_reason_is_logged_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    """
    Once, not every ten minutes.
    """
    monitor = DrainMonitor(answers(NO_PODS, NO_PODS, GOOD, NO_PODS), 1)
    logged = []
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            monitor.rehearse()
            logged.append(len(caplog.records))

    assert logged == [1, 1, 1, 2]
    assert "reading pods is forbidden" in caplog.text


def test_the_thread_rehearses_until_it_is_closed() -> None:
    """
    ``close`` ends a running rehearsal.
    """
    begun, ended = Event(), Event()

    def rehearse() -> NodeDrains:
        begun.set()
        ended.wait(30)
        raise no_answer()

    monitor = DrainMonitor(rehearse, 3600, stop=ended.set)
    monitor.start()
    assert begun.wait(30)
    monitor.close()
    monitor._thread.join(30)

    assert not monitor._thread.is_alive()


def facts(folder: Path, *objects: object) -> list[str]:
    file = folder / "fleet.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects]}))
    return ["--facts", str(file)]


def test_the_process_rehearses_each_node(tmp_path: Path) -> None:
    """
    As ``migratable drain --all``.
    """
    cluster = facts(tmp_path, node("n1"), node("n2"), kubevirt(), *owned(vmi("web", "n1", migratable=False)))

    drains = DrainProcess(cluster)()

    assert [(one.name, one.outcome, len(one.machines)) for one in drains.nodes] == [
        ("n1", Outcome.BLOCKS, 1),
        ("n2", Outcome.MOVES, 0),
    ]
    assert not drains.missing


def test_the_process_names_the_kinds_that_were_not_read(tmp_path: Path) -> None:
    """
    Without pods, no node is drainable.
    """
    drains = DrainProcess(facts(tmp_path, node("n1"), node("n2"), kubevirt(), vmi("web", "n1")))()

    assert [missing.partition(":")[0] for missing in drains.missing] == ["Pod"]


def test_the_reason_of_a_process_that_fails_is_its_error(tmp_path: Path) -> None:
    """
    The first line of its error, without the prefix.
    """
    with pytest.raises(Unavailable) as error:
        DrainProcess(["--facts", str(tmp_path / "absent")])()

    assert "absent" in error.value.message
    assert not error.value.message.startswith("error")


def test_a_stopped_process_starts_no_more(tmp_path: Path) -> None:
    """
    A watch that ends leaves no process behind.
    """
    process = DrainProcess(facts(tmp_path, node("n1")))
    process.stop()

    with pytest.raises(Unavailable, match="stopped"):
        process()


def test_a_running_process_can_be_stopped(tmp_path: Path) -> None:
    """
    A rehearsal that waits for the API server does not keep a watch from ending.
    """
    os.mkfifo(tmp_path / "fifo")  # a read of it waits for a writer
    process = DrainProcess(["--facts", str(tmp_path / "fifo")])
    errors: list[str] = []

    def rehearse() -> None:
        try:
            process()
        except Unavailable as error:
            errors.append(error.message)

    thread = Thread(target=rehearse)
    thread.start()
    wait_until(lambda: process._running, PATIENCE_SECONDS, "the process to begin")
    process.stop()
    thread.join(PATIENCE_SECONDS)

    assert errors == ["exit status -9"]
