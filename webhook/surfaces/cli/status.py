"""How the command line ends: its exit status, and what it says where it cannot go on."""

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from webhook.errors import BadInput, WebhookError
from webhook.report.saying import place_of_problem, problem_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from webhook.report.model import ProblemReport, Report

EXIT_FINDINGS = 1
EXIT_ERROR = 2


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
        click.echo(f"error: {place_of_problem(problem)}: {problem_message(problem)}", err=True)


def fail(error: WebhookError) -> NoReturn:
    """Says on stderr what is wrong and what to do, and ends with status 2."""
    where = ""
    if isinstance(error, BadInput) and error.source:
        where = f"{error.source}:{error.line}: " if error.line else f"{error.source}: "
    click.echo(f"error: {where}{error.message}. {error.remedy}", err=True)
    sys.exit(EXIT_ERROR)
