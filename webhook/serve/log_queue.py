"""Writes logs in a thread: whoever reads our stderr may be slow or gone, and no review may wait for that."""

import logging
import queue
import threading
import time
from typing import TextIO

LINES = 10_000
"""How many wait at most; what comes then is lost and counted. A line has some 300 bytes."""
FLUSH_SECONDS = 2.0


class QueuedLogHandler(logging.Handler):
    """Formats a record where it is made, and writes it elsewhere."""

    def __init__(self, stream: TextIO, lines: int = LINES) -> None:
        super().__init__()
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue(lines)
        self.lost = 0
        """Lines that found no room since the last one that did."""
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits."""
        lost, self.lost = self.lost, 0
        try:
            if lost:
                self._lines.put_nowait(self.format(_tell(lost)) + "\n")
                lost = 0
            self._lines.put_nowait(self.format(record) + "\n")
        except queue.Full:
            self.lost += lost + 1
        except Exception:  # noqa: BLE001 - logging's own manner: a record that cannot be written stops nobody
            self.handleError(record)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            try:
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # nobody reads any more, or the stream is closed
                pass
            self._lines.task_done()

    def flush(self) -> None:
        """Waits until all is written, but not for long; the end of the process asks for it."""
        until = time.monotonic() + FLUSH_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)


def _tell(lost: int) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "migratable.log", "levelno": logging.WARNING, "levelname": "WARNING"})
    record.msg = "log lines dropped: stderr was not read"
    record.lines_lost = lost
    return record
