"""The report as JSON, and its JSON Schema."""

from typing import Any

import msgspec

from webhook.report.model import Report


def render(report: Report) -> str:
    """The report as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def schema(report: type[Report] = Report) -> dict[str, Any]:
    """The JSON Schema of a type of report."""
    return msgspec.json.schema(report)
