"""The explanation of one VM as JSON (``migratable/v1``, kind ``VMExplanation``), and its JSON Schema."""

from typing import Any

from webhook.drain.vm_explanation import VMExplanation
from webhook.report.documents import render_document, schema_of


def render(explanation: VMExplanation) -> str:
    """The document with a final newline."""
    return render_document(explanation)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return schema_of(VMExplanation)
