"""
Everything that can go wrong and is not a finding.

WebhookError
├── BadInput        yours to fix: not YAML, not an AdmissionReview, no such rule
├── Unavailable     try again: API server out of reach, cluster facts not read yet
└── Misconfigured   refuse to start: policy file, certificate files

Violations are data (``webhook.facts``), never exceptions. A message never holds an object's content.
"""

from typing import ClassVar


class WebhookError(Exception):
    """An error with a stable ``code`` and, for its reader, a ``remedy``."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class BadInput(WebhookError):
    """The input cannot be judged; ``line`` and ``column`` (1-based) say where, if that is known."""

    code = "bad-input"

    def __init__(
        self,
        message: str,
        *,
        remedy: str,
        source: str = "",
        document: int | None = None,
        line: int | None = None,
        column: int | None = None,
        path: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.source = source
        self.document = document
        self.line = line
        self.column = column
        self.path = path


class Unavailable(WebhookError):
    """A needed service cannot be reached now; the same call may succeed later."""

    code = "unavailable"


class Misconfigured(WebhookError):
    """The server or the command line was set up wrongly and refuses to start."""

    code = "misconfigured"
