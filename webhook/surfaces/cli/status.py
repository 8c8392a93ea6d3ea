"""Exit status, and error messages on stderr."""

import sys
from typing import TYPE_CHECKING, NoReturn

from webhook.errors import BadInput, WebhookError
from webhook.report.sentences import place_of_problem, problem_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from webhook.report.model import ProblemReport, Report

EXIT_FINDINGS = 1
EXIT_ERROR = 2


class UsageMistake(Exception):
    """A usage error of ``check``. The message says what to write instead."""


def write_stdout(text: str) -> None:
    """Writes to stdout and flushes, so that a full disk or closed pipe raises here."""
    if text:  # on a full disk, even an empty write fails
        sys.stdout.write(text)
        sys.stdout.flush()


def write_stderr(line: str) -> None:
    """Writes a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def exit_status(report: "Report", fail_on: str, *, strict: bool) -> int:
    """The exit status for a report: 0, 1 or 2. Unreadable input always gives 2."""
    summary = report.summary
    if summary.problems:
        return EXIT_ERROR
    failing = summary.deny + (summary.warn if fail_on == "warn" else 0)
    if (fail_on != "never" and failing) or (strict and (summary.unproven or _has_ties(report))):
        return EXIT_FINDINGS
    return 0


def _has_ties(report: "Report") -> bool:
    from webhook.report.ties import has_ties

    return has_ties(report)


def write_problems(problems: "Iterable[ProblemReport]") -> None:
    """Writes one line to stderr for each unreadable input: file, line, field, error and remedy."""
    for problem in problems:
        write_stderr(f"error: {place_of_problem(problem)}: {problem_message(problem)}")


def write_errors(errors: "Iterable[WebhookError]") -> None:
    """Writes each error and its remedy to stderr."""
    for error in errors:
        where = ""
        if isinstance(error, BadInput) and error.source:
            where = f"{error.source}:{error.line}: " if error.line else f"{error.source}: "
        write_stderr(f"error: {where}{error.message}. {error.remedy}")


def fail(error: WebhookError) -> NoReturn:
    """Writes the error and its remedy to stderr, and exits with status 2."""
    write_errors([error])
    sys.exit(EXIT_ERROR)
