"""How the command line ends: its exit status, and what it says where it cannot go on."""

import sys
from typing import TYPE_CHECKING, NoReturn

from webhook.errors import BadInput, WebhookError
from webhook.report.sentences import place_of_problem, problem_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from webhook.report.model import ProblemReport, Report

EXIT_FINDINGS = 1
EXIT_ERROR = 2


class Misused(Exception):
    """Words of the command line that cannot be obeyed; the message says what to write."""


def echo(text: str) -> None:
    """Writes a piece of the answer to stdout, and not only into its buffer: what cannot be written is known now."""
    if text:  # what is full refuses even nothing
        sys.stdout.write(text)
        sys.stdout.flush()


def tell(line: str) -> None:
    """Writes a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def exit_status(report: "Report", fail_on: str, *, strict: bool) -> int:
    """0, 1 or 2 for a report; anything that was not read is 2, whatever was found."""
    summary = report.summary
    if summary.problems:
        return EXIT_ERROR
    found = summary.deny + (summary.warn if fail_on == "warn" else 0)
    if (fail_on != "never" and found) or (strict and summary.unproven):
        return EXIT_FINDINGS
    return 0


def tell_problems(problems: "Iterable[ProblemReport]") -> None:
    """Says on stderr of each input that was not read: file, place and field, what is wrong, and what to do."""
    for problem in problems:
        tell(f"error: {place_of_problem(problem)}: {problem_message(problem)}")


def fail(error: WebhookError) -> NoReturn:
    """Says on stderr what is wrong and what to do, and ends with status 2."""
    where = ""
    if isinstance(error, BadInput) and error.source:
        where = f"{error.source}:{error.line}: " if error.line else f"{error.source}: "
    tell(f"error: {where}{error.message}. {error.remedy}")
    sys.exit(EXIT_ERROR)
