"""
The exceptions of Migratable.

WebhookError
├── BadInput        the input is invalid: not YAML, not an AdmissionReview, an unknown rule
├── Unavailable     a retry can succeed: the API server is unreachable, the cache is not filled yet
└── Misconfigured   the program cannot start: policy file, certificate files

Violations are data (``webhook.rules.rule``), not exceptions. A message never contains the content of an object.
"""

from typing import Any, ClassVar


class WebhookError(Exception):
    """An error with a stable ``code``, and a ``remedy`` for the user."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets an error cross to another process: pickle passes no keyword arguments to the constructor of an exception."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[WebhookError], args: tuple[Any, ...], state: dict[str, Any]) -> WebhookError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class BadInput(WebhookError):
    """The input is invalid. ``line`` and ``column`` (1-based) are set if the position is known."""

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
    """A required service is unreachable; a retry can succeed."""

    code = "unavailable"


class Misconfigured(WebhookError):
    """The configuration is invalid, so the server or command does not start."""

    code = "misconfigured"
