"""Where answers go and in which format; a format's renderer is imported when it is asked for."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from webhook import __version__
from webhook.errors import BadInput
from webhook.report.model import Report
from webhook.surfaces.cli.status import fail

FORMATS = ("text", "json", "sarif")

Rendering = Callable[[Report, dict[str, list[str]], bool, bool], str]


def rendering_of(output: str) -> tuple[Rendering, Path | None]:
    """What ``FORMAT[=FILE]`` asks for; no file is standard output."""
    form, _, target = output.partition("=")
    if form not in FORMATS:
        raise click.UsageError(f"No output format {form!r}; there are {', '.join(FORMATS)}.")
    return {"text": _text, "json": _json, "sarif": _sarif}[form], Path(target) if target else None


def _text(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from shutil import get_terminal_size

    from webhook.report import text

    return text.render(
        report, sources=lines, colour=colour, width=min(get_terminal_size().columns, 120), verbose=verbose
    )


def _json(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from webhook.report import as_json

    return as_json.render(report)


def _sarif(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from webhook.report import sarif

    return sarif.render(report, version=__version__)


def colour_for(color: str, target: Path | None) -> bool:
    """NO_COLOR and FORCE_COLOR are honoured; a file never gets colour."""
    from os import environ

    if target is not None or color == "never":
        return False
    if color == "always" or environ.get("FORCE_COLOR"):
        return True
    return not environ.get("NO_COLOR") and sys.stdout.isatty()


def write(text: str, target: Path | None) -> None:
    """Writes one answer to its file, or to standard output."""
    if target is None:
        click.echo(text, nl=False, color=True)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(BadInput(f"cannot write {target}: {error.strerror}", remedy="Name a file in a folder that exists."))
