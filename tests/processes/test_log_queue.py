"""webhook.processes.log_queue: another thread writes the log, so a slow reader delays no request."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO

import pytest

from tests.waiting import wait_until
from webhook.processes.log_queue import QueuedLogHandler
from webhook.processes.logs import JsonLines

SECONDS = 20


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger of its own, which loses its handlers afterwards."""
    made = logging.getLogger("migratable.test.spool")
    made.propagate = False
    made.setLevel(logging.INFO)
    yield made
    made.handlers.clear()


def spooled(logger: logging.Logger, spool: QueuedLogHandler) -> QueuedLogHandler:
    spool.setFormatter(JsonLines())
    logger.addHandler(spool)
    return spool


def test_all_lines_are_written_in_order(logger: logging.Logger) -> None:
    """
    All lines arrive in order once the process has waited for them at its end.
    """
    stream = StringIO()
    spool = spooled(logger, QueuedLogHandler(stream))

    for number in range(1000):
        logger.info("line", extra={"number": number})
    spool.flush()

    assert [json.loads(line)["number"] for line in stream.getvalue().splitlines()] == list(range(1000))


def test_a_full_pipe_delays_no_logging_thread(logger: logging.Logger) -> None:
    """
    Lines beyond the bound are dropped without a delay. When reading resumes, a line has the number of dropped lines.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        spool = spooled(logger, QueuedLogHandler(stream, lines=100))
        for number in range(20_000):
            logger.info("a line without a reader", extra={"number": number})
        lost = spool.lost

        with os.fdopen(reading) as source:
            os.set_blocking(reading, False)
            read = ""

            def all_told() -> bool:
                nonlocal read
                read += source.read() or ""
                if spool.lost:
                    logger.info("last")
                return '"last"' in read and read.endswith("\n")

            wait_until(all_told, SECONDS, "the lines that were kept")

    entries = [json.loads(line) for line in read.splitlines()]
    kept = [entry["number"] for entry in entries if "number" in entry]
    assert lost > 10_000
    assert kept == sorted(kept)
    assert len(kept) + sum(entry.get("lines_lost", 0) for entry in entries) >= 20_000


def test_a_closed_stream_does_not_end_the_process(logger: logging.Logger) -> None:
    """
    The process continues although its log has no reader any more.
    """
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    spool = spooled(logger, QueuedLogHandler(stream, lines=2))

    for _ in range(5):
        logger.info("x" * 10_000)
        spool.flush()

    assert spool.lost == 0
    with suppress(BrokenPipeError):
        stream.close()
