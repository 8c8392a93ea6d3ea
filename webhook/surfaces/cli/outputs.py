"""Where answers go and in which format; a format's renderer is imported when it is asked for."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from os import environ, get_terminal_size
from typing import TYPE_CHECKING, Any

import msgspec

from webhook import __version__
from webhook.errors import BadInput
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.files import Sources
from webhook.report.model import FixReport, ObjectReport, Report
from webhook.surfaces.cli.options import FORMATS
from webhook.surfaces.cli.status import Misused, echo, fail

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.report.text import Writable

MAX_WIDTH = 120


class Output(msgspec.Struct, frozen=True):
    """One answer to write; no target is standard output."""

    form: str
    target: "Path | None" = None


def outputs_of(asked: Sequence[str]) -> list[Output]:
    """What each ``FORMAT[=FILE]`` asks for; raises Misused for what cannot be done."""
    outputs = [_output(each) for each in asked or ("text",)]
    targets = [each.target for each in outputs]
    for target in targets:
        if targets.count(target) > 1:
            where = "standard output" if target is None else str(target)
            raise Misused(f"Two formats cannot both go to {where}. Write one to a file, such as -o sarif=out.sarif.")
    return outputs


def _output(asked: str) -> Output:
    form, _, target = asked.partition("=")
    if form not in FORMATS:
        raise Misused(f"Unknown output format {form!r}{_hint(form)}. Formats: {', '.join(FORMATS)}.")
    if target in ("", "-"):
        return Output(form)
    from pathlib import Path

    return Output(form, Path(target))


def _hint(form: str) -> str:
    close = close_matches(form.lower(), FORMATS)
    return f" (did you mean {close[0]}?)" if close else ""


def write_all(outputs: Sequence[Output], report: Report, sources: Sources, color: str, *, verbose: bool) -> None:
    """Renders and writes the answer in every format that was asked for."""
    for output in outputs:
        settings: dict[str, Any] = {}
        if output.form == "text":
            width = min(_columns(), MAX_WIDTH)
            colour = colour_for(color, output.target)
            settings = {"sources": sources.lines, "colour": colour, "width": width, "verbose": verbose}
            settings["writable"] = _Writable(sources.texts)
        elif output.form == "sarif":
            from webhook.manifests.replacements import FixReplacer

            settings = {"version": __version__, "replacer": FixReplacer(sources.texts)}
        renderer = import_module(f"webhook.report.{FORMATS[output.form]}")
        _write(renderer.render(report, **settings), output)


class _Writable:
    """A ``text.Writable``, which looks where values may stand in one place for several: else nearly all can be written."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._can_write: Writable | None = None

    def __call__(self, judged: ObjectReport, fix: FixReport) -> bool:
        content = self._texts.get(judged.source.file, b"") if judged.source is not None else b""
        if b"&" not in content or b"*" not in content:  # no anchor, or no alias
            return True
        if self._can_write is None:
            from webhook.manifests.replacements import FixWritable

            self._can_write = FixWritable(self._texts)
        return self._can_write(judged, fix)


def _columns() -> int:
    """As ``shutil.get_terminal_size``, whose import costs more than the rest of this file."""
    given = environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # no stdout, a closed one, or one that is no terminal
        return 80


def colour_for(color: str, target: "Path | None") -> bool:
    """NO_COLOR and FORCE_COLOR are honoured; a file never gets colour."""
    if target is not None or color == "never":
        return False
    if color == "always" or environ.get("FORCE_COLOR"):
        return True
    return not environ.get("NO_COLOR") and sys.stdout.isatty()


def _write(text: str, output: Output) -> None:
    target = output.target
    if target is None:
        if output.form != "text" and isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as in a file: who reads JSON expects nothing else
        echo(text)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(BadInput(f"cannot write {target}: {error.strerror}", remedy="Name a file in a folder that exists."))
