"""Logs as JSON lines. They never contain the content of an object."""

import json
import logging
import sys
from datetime import UTC, datetime

from webhook.processes.log_queue import QueuedLogHandler

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """
    Formats each record as a JSON object on one line. Control characters are escaped, and a traceback is reduced to the type of
    the error.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record as JSON."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
        return json.dumps(entry, default=str)


def log_to_stderr() -> None:
    """Write all logs to stderr as JSON lines, including the logs of uvicorn and the client."""
    handler = QueuedLogHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "urllib3", "kubernetes"):
        logging.getLogger(name).setLevel(logging.WARNING)
