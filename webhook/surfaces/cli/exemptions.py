"""Exempts findings of ``migratable check`` by comments and by the baseline, and writes the baseline."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.manifests.files import ANNOTATION, COMMENT
from webhook.manifests.sources import Sources
from webhook.policy.policy import Exemption
from webhook.report.model import Report
from webhook.report.sentences import file_of
from webhook.surfaces.cli.status import EXIT_ERROR, write_problems, write_stderr

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.report.baseline import Baseline

R = TypeVar("R", bound=Report)
DEFAULT = "migratable-baseline.yaml"


def add_expiry_notes(report: R, exemptions: Sequence[Exemption], today: str) -> R:
    """The report with notes on exemptions that have expired or expire soon."""
    if not exemptions:
        return report
    from webhook.report.exemptions import with_expiry_notes

    return with_expiry_notes(report, exemptions, today)


def apply_comments(report: Report, sources: Sources, today: str) -> Report:
    """The report, with findings exempted by comments and annotations."""
    texts = sources.texts.in_memory  # a text with an exemption is never released
    annotated = {name: text for name, text in texts.items() if ANNOTATION in text}
    if annotated:
        from webhook.manifests.annotations import exempt_by_annotations

        report = exempt_by_annotations(report, annotated, today)
    files = [name for name, text in texts.items() if COMMENT in text]
    if not files:
        return report
    from webhook.report.exemptions import comments_in, exempt_by_comments

    lines = {name: texts[name].decode("utf-8", "replace").splitlines() for name in files}
    return exempt_by_comments(report, {name: comments_in(lines[name], name, today) for name in files})


def apply_baseline(report: Report, path: "Path | None", sources: Sources) -> Report:
    """The report, with known findings exempted by the baseline. Raises Misconfigured for an invalid baseline."""
    if path is None:
        return report
    from webhook.report import baseline as baselines

    return baselines.exempt(
        report, read_baseline(path), str(path), frozenset(map(file_of, sources.names)), _located(path)
    )


def _located(baseline: "Path") -> Callable[[str], str]:
    """
    Returns a function that makes paths relative to the folder of the baseline. Such paths do not depend on the working
    directory.
    """
    root = os.path.dirname(os.path.abspath(baseline))  # noqa: PTH100, PTH120 - a Path has no such function
    return lambda file: file_of(file) if file == "-" else os.path.relpath(file, root)


def write_baseline(report: Report, path: "Path | None") -> int:
    """Writes the findings to the baseline, and returns the exit status: 2 if any input is unreadable."""
    from pathlib import Path

    from webhook.report import baseline as baselines

    target = path or Path(DEFAULT)
    known = baselines.of_report(report, _located(target))
    removed = _fingerprints(target) - {entry.fingerprint for entry in known.findings}
    try:
        target.write_text(baselines.render(known), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error.strerror}", remedy="Name a file with --baseline.") from None
    write_stderr(f"note: wrote {_count(len(known.findings), 'finding')} to {target}")
    if removed:
        are = "entry of the old file is" if len(removed) == 1 else "entries of the old file are"
        write_stderr(f"note: {len(removed)} {are} removed, because this check has no such finding")
    if path is None:
        write_stderr(f"note: to use it, pass --baseline {target}, or add `baseline: {target}` to migratable.yaml")
    write_problems(report.problems)
    return EXIT_ERROR if report.problems else 0


def _fingerprints(path: "Path") -> set[str]:
    """The fingerprints in a baseline that is written again. A file that is missing or invalid has none."""
    try:
        return {entry.fingerprint for entry in read_baseline(path).findings}
    except Misconfigured:
        return set()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def read_baseline(path: "Path") -> "Baseline":
    """Reads a baseline. Raises Misconfigured for an unreadable or invalid file."""
    from webhook.manifests.typed import read_own_file
    from webhook.report.baseline import Baseline

    remedy = "Write it again (check --write-baseline, audit -o baseline), or name another file with --baseline."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"baseline {path} cannot be read: {error.strerror}", remedy=remedy) from None
    file = read_own_file(content, f"baseline {path}", what="baseline", remedy=remedy)
    return Baseline() if file is None else file.read(lambda value: msgspec.convert(value, Baseline))
