"""The formats of a report and the files they are written to. A renderer is imported only if its format is requested."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from errno import EDQUOT, EFBIG, ENOSPC
from io import TextIOWrapper
from os import environ, get_terminal_size
from typing import TYPE_CHECKING

import msgspec

from webhook import __version__
from webhook.errors import BadInput
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.sources import Sources
from webhook.report.model import FixReport, ObjectReport, Report
from webhook.surfaces.cli.options import FORMATS
from webhook.surfaces.cli.status import UsageMistake, write_stderr, write_stdout

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.report.text import Writable

MAX_WIDTH = 120
_CHUNK = 1 << 16
"""Number of characters that are written together."""
CI_FORMATS = ("checkstyle", "github", "gitlab", "junit", "rdjson", "sarif")
"""Formats whose readers expect paths relative to the root of the repository."""
CI_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables in which CI systems name the root of the repository."""


class Output(msgspec.Struct, frozen=True):
    """A format and the file to write. ``None`` means standard output."""

    form: str
    target: "Path | None" = None


def outputs_of(words: Sequence[str], formats: Sequence[str] = FORMATS) -> list[Output]:
    """
    Parses each ``FORMAT[=FILE]``. The default is the first of ``formats``.

    Raises UsageMistake for an unknown format, and for two formats with the same target.
    """
    outputs = [_output(word, formats) for word in words or formats[:1]]
    targets = [output.target for output in outputs]
    for target in targets:
        if targets.count(target) > 1:
            where = "standard output" if target is None else str(target)
            raise UsageMistake(
                f"Two formats cannot both go to {where}. Write one to a file, such as -o sarif=out.sarif."
            )
    return outputs


def _output(word: str, formats: Sequence[str]) -> Output:
    form, _, target = word.partition("=")
    if form not in formats:
        raise UsageMistake(f"Unknown output format {form!r}{_hint(form, formats)}. Formats: {', '.join(formats)}.")
    if target in ("", "-"):
        return Output(form)
    from pathlib import Path

    return Output(form, Path(target))


def _hint(form: str, formats: Sequence[str]) -> str:
    close = close_matches(form.lower(), formats)
    return f" (did you mean {close[0]}?)" if close else ""


class Style(msgspec.Struct, frozen=True):
    """The options that concern only the output."""

    color: str = "auto"
    verbose: bool = False
    relative_to: str | None = None
    omit_exempted: bool = False
    quiet: bool = False
    statistics: bool = False


def write_all(outputs: Sequence[Output], report: Report, sources: Sources, style: Style) -> list[BadInput]:
    """
    Renders the report in each requested format, and writes it. Returns an error for each file that cannot be written.

    The other outputs are still written, because the text on standard output must not be lost.
    """
    root = _root(style.relative_to)
    errors = []
    for output in outputs:
        shown, texts = report, sources
        if sources.rendered and output.form in (*CI_FORMATS, "markdown"):
            from webhook.manifests.origins import Origins
            from webhook.report.rendered import placed_in_repository

            origins = Origins(sources.texts, sources.parts)
            shown = placed_in_repository(report, sources.rendered, origins)
            texts = Sources(sources.texts.renamed(str))  # a copy
            texts.texts.update(origins.texts)
        if root and output.form in CI_FORMATS:
            shown, texts = _renamed(shown, texts, root)
        errors += write(_parts(output, shown, texts, style), output)
    return errors


def _root(relative_to: str | None) -> str:
    """The folder that paths for CI systems are relative to. An empty string means the current folder."""
    return relative_to or next(filter(None, map(environ.get, CI_ROOTS)), "")


def _renamed(report: Report, sources: Sources, root: str) -> tuple[Report, Sources]:
    """The report and the texts, with file names relative to the root of the repository."""
    from webhook.surfaces.cli.relative import RelativeNames, with_names

    rename = RelativeNames(root)
    return with_names(report, rename), Sources(sources.texts.renamed(rename))


def rendered(output: Output, report: Report, sources: Sources, style: Style) -> str:
    """The report in a format of ``check``."""
    return "".join(_parts(output, report, sources, style))


def _parts(output: Output, report: Report, sources: Sources, style: Style) -> Iterable[str]:
    """The parts of a format. Those of the formats with one text for each object are made while they are written."""
    match output.form:
        case "text":
            return _text(report, sources, style, colour_for(style.color, output.target))
        case "json":
            from webhook.report import as_json

            return as_json.parts(report)
        case "yaml":
            from webhook.report import as_yaml

            return as_yaml.parts(report)
        case _:
            return (_whole(output, report, sources, style),)


def _whole(output: Output, report: Report, sources: Sources, style: Style) -> str:
    if output.form == "sarif":
        return _sarif(report, sources, style)
    if output.form == "github":
        from webhook.report import github

        return github.render(report, omit_exempted=style.omit_exempted)
    if output.form == "rdjson":
        from webhook.report import rdjson

        return rdjson.render(report, sources.lines)
    return _renderer(output.form)(report)


def _text(report: Report, sources: Sources, style: Style, colour: bool) -> Iterable[str]:
    if style.statistics:
        from webhook.report import statistics

        return (statistics.render(report, colour=colour, quiet=style.quiet),)
    from webhook.report import text

    find = None
    if sources.rendered:
        from webhook.manifests.origins import Origins

        find = Origins(sources.texts, sources.parts)
    width = text_width()
    writable = _Writable(sources.texts)
    return text.parts(
        report,
        sources=sources.lines,
        colour=colour,
        width=width,
        verbose=style.verbose,
        writable=writable,
        quiet=style.quiet,
        find=find,
    )


def _sarif(report: Report, sources: Sources, style: Style) -> str:
    from webhook.manifests.replacements import FixReplacer
    from webhook.report import sarif

    note = sarif.cut_note(report, omit_exempted=style.omit_exempted)
    if note and not style.quiet:
        write_stderr(f"note: {note}")
    replacer = FixReplacer(sources.texts)
    return sarif.render(report, version=__version__, replacer=replacer, omit_exempted=style.omit_exempted)


def _renderer(form: str) -> Callable[[Report], str]:
    """The renderer for a format that needs only the report. Each renderer is imported only if it is used."""
    match form:
        case "junit":
            from webhook.report.junit import render
        case "checkstyle":
            from webhook.report.checkstyle import render
        case "concise":
            from webhook.report.concise import render
        case "gitlab":
            from webhook.report.gitlab import render
        case "tap":
            from webhook.report.tap import render
        case "markdown":
            from webhook.report.markdown import render
        case "openreports":
            from webhook.report.openreports import render
        case _:
            raise ValueError(form)
    return render


class _Writable:
    """
    A ``text.Writable``: whether a fix can be written to its file.

    Only a file with an anchor and an alias needs a trial, because an alias repeats a value in another place.
    """

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._can_write: Writable | None = None

    def __call__(self, judged: ObjectReport, fix: FixReport) -> bool:
        if judged.source is not None and judged.source.rendered_from:
            return False
        content = self._texts.get(judged.source.file, b"") if judged.source is not None else b""
        if b"&" not in content or b"*" not in content:  # the file has no anchor or no alias
            return True
        if self._can_write is None:
            from webhook.manifests.replacements import FixWritable

            self._can_write = FixWritable(self._texts)
        return self._can_write(judged, fix)


def text_width() -> int:
    """The number of columns for text."""
    return min(_columns(), MAX_WIDTH)


def _columns() -> int:
    """The width of the terminal, as in ``shutil.get_terminal_size``. Importing shutil costs more than the rest of this file."""
    if written := environ.get("COLUMNS"):
        from webhook.objects.whole_number import whole_number

        if configured := whole_number(written):
            return configured
    try:
        return get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # standard output is missing, closed, or not a terminal
        return 80


def colour_for(color: str, target: "Path | None") -> bool:
    """
    Whether to use colour. NO_COLOR and FORCE_COLOR apply to standard output. The output of ``-o text=FILE`` has no colour.
    """
    if target is not None or color == "never":
        return False
    if color == "always" or environ.get("FORCE_COLOR"):
        return True
    return not environ.get("NO_COLOR") and sys.stdout.isatty()


def write(parts: Iterable[str], output: Output) -> list[BadInput]:
    """Writes the parts of a text. Returns an error if the file cannot be written."""
    target = output.target
    if target is None:
        if output.form != "text" and isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # JSON and XML readers expect UTF-8, as in a file
        for chunk in _chunks(parts):
            write_stdout(chunk)
        return []
    try:
        with target.open("w", encoding="utf-8") as file:
            file.writelines(_chunks(parts))
    except OSError as error:
        is_full = error.errno in (EDQUOT, EFBIG, ENOSPC)
        remedy = "Free disk space, or write to another place." if is_full else "Name a file in a folder that exists."
        return [BadInput(f"cannot write {target}: {error.strerror}", remedy=remedy)]
    return []


def _chunks(parts: Iterable[str]) -> Iterator[str]:
    """The parts, joined to texts that are worth a write of their own."""
    chunk: list[str] = []
    size = 0
    for part in parts:
        chunk.append(part)
        size += len(part)
        if size >= _CHUNK:
            yield "".join(chunk)
            chunk, size = [], 0
    if chunk:
        yield "".join(chunk)
