"""Recognizes the reports of an earlier check in a searched folder. Their names do not matter."""

from collections.abc import Callable, Sequence
from typing import Final

from webhook.errors import BadInput
from webhook.objects.meta import Json
from webhook.yaml.document import read_documents

_FORMS: Final[Sequence[Callable[[Json], bool]]] = (
    lambda value: isinstance(value, dict) and value.get("apiVersion") == "migratable/v1",
    # SARIF
    lambda value: isinstance(value, dict) and {"version", "runs"} <= value.keys() and "kind" not in value,
    # Reviewdog Diagnostic Format
    lambda value: isinstance(value, dict) and {"source", "diagnostics"} <= value.keys() and "kind" not in value,
    # GitLab Code Quality
    lambda value: (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and {"check_name", "fingerprint"} <= item.keys() for item in value)
    ),
)


def is_report(content: bytes) -> bool:
    """Whether a text is a report: of Migratable, SARIF, rdjson, GitLab Code Quality, or XML such as JUnit and Checkstyle."""
    if content.lstrip().startswith((b"<?xml", b"<testsuite", b"<checkstyle")):
        return True
    try:
        documents = read_documents(content, "")
    except BadInput:
        return False
    return bool(documents) and all(any(form(document.value) for form in _FORMS) for document in documents)
