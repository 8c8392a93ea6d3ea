"""Logs are JSON lines without secrets."""

import json
import logging
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from webhook.processes.logs import JsonLines

CANARY = "s3cr3t-canary"


def logged(message: str, *arguments: object, error: bool = False, **extra: object) -> str:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("migratable.test")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.error(message, *arguments, exc_info=error, extra=extra)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


@given(st.text(st.characters(codec="utf-8")), st.text())
def test_a_record_is_one_line_of_json(message: str, name: str) -> None:
    """
    Newlines and control characters in a name cannot begin another line.
    """
    line = logged("%s", message, object=name)

    assert line.endswith("\n")
    assert line[:-1].isprintable()
    entry = json.loads(line)
    assert (entry["message"], entry["object"]) == (message, name)
    assert (entry["level"], entry["logger"]) == ("error", "migratable.test")


def test_an_error_is_logged_only_by_its_type() -> None:
    """
    Neither its text nor the locals of a traceback, which may contain an object, are logged.
    """
    try:
        raise ValueError(CANARY)
    except ValueError:
        line = logged("internal error", error=True)

    assert CANARY not in line
    assert json.loads(line)["error"] == "ValueError"
