"""Writes logs in a thread, so that a slow reader of stderr does not delay reviews."""

import logging
import queue
import threading
import time
from typing import TextIO

LINES = 10_000
"""The maximum number of waiting lines. Further lines are dropped and counted. A line has about 300 bytes."""
FLUSH_SECONDS = 2.0


class QueuedLogHandler(logging.Handler):
    """Formats a record in the calling thread, and writes it in another thread."""

    def __init__(self, stream: TextIO, lines: int = LINES) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue(lines)
        self.lost = 0
        """The number of lines that were dropped since the last line was queued."""
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record. Never waits."""
        lost, self.lost = self.lost, 0
        try:
            if lost:
                self._lines.put_nowait(self.format(_lost_record(lost)) + "\n")
                lost = 0
            self._lines.put_nowait(self.format(record) + "\n")
        except queue.Full:
            self.lost += lost + 1
        except Exception:  # noqa: BLE001 - as logging does: an invalid record must not stop the caller
            self.handleError(record)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            try:
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # the reader of the stream has ended, or the stream is closed
                pass
            self._lines.task_done()

    def flush(self) -> None:
        """Wait up to ``FLUSH_SECONDS`` until the queue is empty. Called at the end of the process."""
        until = time.monotonic() + FLUSH_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)


def _lost_record(lost: int) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "migratable.log", "levelno": logging.WARNING, "levelname": "WARNING"})
    record.msg = "log lines dropped: stderr was not read"
    record.lines_lost = lost
    return record
