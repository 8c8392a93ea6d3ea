"""The report as JSON, and its JSON Schema."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from webhook.report.model import Report

_OBJECTS = '\n  "objects": ['


def render(report: Report) -> str:
    """The report as indented JSON with a final newline."""
    return "".join(parts(report))


def parts(report: Report) -> Iterator[str]:
    """The parts of this text. No part holds all objects, unless they are in memory."""
    if isinstance(report.objects, list):
        yield _indented(report) + "\n"
        return
    head, found, tail = _indented(replace(report, objects=[])).partition(_OBJECTS)
    yield head + found
    separator, end = "\n    ", ""
    for judged in report.objects:
        yield separator + _indented(judged).replace("\n", "\n    ")
        separator, end = ",\n    ", "\n  "
    yield f"{end}{tail}\n"


def _indented(value: msgspec.Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def schema(report: type[Report] = Report) -> dict[str, Any]:
    """The JSON Schema of a type of report."""
    return msgspec.json.schema(report)
