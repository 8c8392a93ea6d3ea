"""The rehearsal of a drain as JSON (``migratable/v1``, kind ``DrainReport``), and its JSON Schema."""

from typing import Any

from webhook.drain.plan import DrainReport
from webhook.report.documents import render_document, schema_of


def render(report: DrainReport) -> str:
    """The document with a final newline."""
    return render_document(report)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return schema_of(DrainReport)
