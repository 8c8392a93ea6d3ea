"""The report as text for a terminal: findings by object, each with place, message, excerpt and remedy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from webhook.kubevirt.releases import NEWEST, SUPPORTED, Releases, only, releases_named, releases_phrase
from webhook.policy.policy import Action
from webhook.report.frames import gutter_of, rows_of
from webhook.report.model import FindingReport, FixReport, ObjectReport, Report, StorageVerdictReport, reason_phrase
from webhook.report.pen import BLUE, BOLD, COLOURS, CYAN, DIM, GREEN, INDENT, RED, YELLOW, Pen
from webhook.report.printable import printable
from webhook.report.sentences import exempted, name_of, place_of
from webhook.rules.rule import Basis

if TYPE_CHECKING:
    from webhook.report.audited import AuditReport
    from webhook.report.rendered import FindOrigin

Sources = Mapping[str, Sequence[str]]
"""The lines of each file, by its name in the report."""
Writable = Callable[[ObjectReport, FixReport], bool]
"""Returns whether a fix can be written to the file of the object."""


_Commands = Callable[[ObjectReport, FindingReport], Iterator[str]]
"""Returns the lines with the commands for a finding."""


def _always(_judged: ObjectReport, _fix: FixReport) -> bool:
    return True


def parts(
    report: Report,
    *,
    sources: Sources | None = None,
    colour: bool = False,
    width: int = 100,
    verbose: bool = False,
    writable: Writable = _always,
    quiet: bool = False,
    find: "FindOrigin | None" = None,
) -> Iterator[str]:
    """
    The report as text with a final newline, in parts. Unreadable input is only counted.

    ``verbose`` also lists objects without findings, and the assumptions of verdicts. The last lines offer only fixes that are
    ``writable``. With ``quiet``, the text contains only findings that are not in the baseline. ``find`` returns the origins of
    rendered fields. One pass over the objects makes the text; a baseline needs a second pass.
    """
    pen = Pen(colour, width)
    commands = _commands_of(report, pen) if find is None else _origins(find, pen)
    if quiet:
        separator = ""
        for judged in report.objects:
            if verbose or any(not _is_known(finding) for finding in judged.findings):
                yield separator + "\n".join(_object(judged, report.release, sources or {}, pen, verbose, commands))
                separator = "\n\n"
        yield "\n" * bool(separator)
        return
    # new findings are at the end, where users look first in a log
    if report.summary.exempted and (known := "\n".join(_baseline(report, pen))):
        yield known + "\n\n"
    totals = _Totals(writable)
    for judged in report.objects:
        if verbose or any(not _is_known(finding) for finding in judged.findings):
            yield "\n".join(_object(judged, report.release, sources or {}, pen, verbose, commands)) + "\n\n"
        totals.add(judged)
    if (audit := _audit(report)) is not None:
        from webhook.report.audit_remarks import remark_blocks  # noqa: PLC0415 - a check does not need it

        for block in remark_blocks(audit, pen):
            yield block + "\n\n"
    for note in report.notes:
        for line in pen.wrap(note, "", "note: "):
            yield line + "\n"
    if rule := totals.rule or totals.exempted_rule:
        yield f"More about a rule, with examples: migratable explain {rule}\n"
    for line in totals.fixes():
        yield line + "\n"
    yield totals.summary(report, pen) + "\n"


def _audit(report: Report) -> "AuditReport | None":
    """The report on a cluster, or None for the report of a check."""
    if type(report) is Report:
        return None
    from webhook.report.audited import AuditReport  # noqa: PLC0415 - a check does not need it

    return report if isinstance(report, AuditReport) else None


def _commands_of(report: Report, pen: Pen) -> _Commands:
    """Commands for the objects of a cluster. The fixes of manifests are changes of files."""
    if _audit(report) is None:
        return lambda _judged, _finding: iter(())
    from webhook.report.grouping import manages_kubevirt  # noqa: PLC0415 - a check does not need it
    from webhook.report.kubectl import command_lines  # noqa: PLC0415

    has_operator = manages_kubevirt(report.objects)
    return lambda judged, finding: command_lines(judged, finding, pen, INDENT, has_operator=has_operator)


def _origins(find: "FindOrigin", pen: Pen) -> _Commands:
    """The place in the repository that a rendered field comes from."""

    def origin(judged: ObjectReport, finding: FindingReport) -> Iterator[str]:
        source = judged.source
        place = find(source.file, source.document, finding) if source is not None and source.rendered_from else None
        return iter(pen.wrap(f"{place.file}:{place.line}", label="source: ")) if place is not None else iter(())

    return origin


class _Totals:
    """Counts findings, and the fixes that ``check`` can write. Objects in an API request have no such fixes."""

    def __init__(self, writable: Writable = _always) -> None:
        self.rule = ""
        """The rule of the first finding without an exemption."""
        self.exempted_rule = ""
        """The rule of the first exempted finding that is not in the baseline."""
        self._writable = writable
        self._safe = self._optional = 0
        self._denied = self._warned = self._unproven = self._noted = self._exempted = 0

    def add(self, judged: ObjectReport) -> None:
        for finding in judged.findings:
            if finding.exemption is not None:
                self._exempted += 1
                self.exempted_rule = self.exempted_rule or ("" if _is_known(finding) else finding.rule)
                continue
            self.rule = self.rule or finding.rule
            if finding.action == Action.DENY:
                self._denied += 1
            elif finding.outcome == "undetermined":
                self._unproven += 1
            else:
                self._warned += finding.action == Action.WARN
                self._noted += finding.action == Action.AUDIT
            if finding.fixes and judged.source:
                kinds = [fix.safe for fix in finding.fixes if self._writable(judged, fix)]
                self._safe, self._optional = self._safe + (True in kinds), self._optional + (False in kinds)

    def fixes(self) -> Iterator[str]:
        if self._safe:
            yield f"--fix can fix {_count(self._safe, 'finding')}; --diff shows the changes."
        if self._optional:
            yield f"--options shows the possible patches for {_count(self._optional, 'finding')}."

    def summary(self, report: Report, pen: Pen) -> str:
        counts = [
            (self._denied, "denied", RED),
            (self._warned, "warning" if self._warned == 1 else "warnings", YELLOW),
            (self._unproven, "unproven", CYAN),
            (self._noted, "noted", BLUE),
            (self._exempted, "exempted", BLUE),
        ]
        counted = ", ".join(pen.paint(f"{count} {word}", BOLD, code) for count, word, code in counts if count)
        line = f"{counted or pen.paint('nothing found', BOLD, GREEN)} in {_count(report.summary.objects, 'object')}"
        if unreadable := len(report.problems):
            line += "; " + pen.paint(f"{unreadable} more could not be read", BOLD, RED)
        return line


def summary(report: Report, *, colour: bool = False) -> str:
    """One line: ``3 denied, 1 warning, 2 unproven in 12 objects``. Each finding counts once."""
    totals = _Totals()
    for judged in report.objects:
        totals.add(judged)
    return totals.summary(report, Pen(colour, 0))


def _is_known(finding: FindingReport) -> bool:
    """Whether the finding is in the baseline. Findings in the baseline are listed together at the top."""
    return finding.exemption is not None and finding.exemption.kind == "baseline"


def _baseline(report: Report, pen: Pen) -> Iterator[str]:
    known = [(judged, finding) for judged in report.objects for finding in judged.findings if _is_known(finding)]
    if known:
        yield pen.paint(f"In the baseline, so the check does not fail: {_count(len(known), 'finding')}", BOLD)
    for judged, finding in known:
        yield f"  {finding.rule} {finding.name}  {place_of(judged, finding)}  {name_of(judged)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _object(
    judged: ObjectReport, release: str, sources: Sources, pen: Pen, verbose: bool, commands: _Commands
) -> Iterator[str]:
    place = f"{_file(judged.source.file)}:{judged.source.line} " if judged.source is not None else ""
    name = "/".join(part for part in (judged.namespace, judged.name) if part) or "(no name)"
    release = judged.release or release
    verdict = _verdict(judged, release)
    yield pen.paint(f"{place}{judged.kind} {name}", BOLD) + (f": {pen.paint(*verdict)}" if verdict is not None else "")
    if verbose and judged.verdict is not None:
        for assumption in judged.verdict.assumptions:
            yield from pen.wrap(assumption, "  ", "assumed: ")
    if verbose and judged.verdict is not None and judged.verdict.storage_live_migratable is not None:
        yield from pen.wrap(_storage(judged.verdict.storage_live_migratable), "  ", "StorageLiveMigratable: ")
    if verbose and judged.references:
        from webhook.report.ties import described  # noqa: PLC0415 - few repositories need it

        for reference in judged.references:
            yield from pen.wrap(described(reference), "  ", "reference: ")
    for finding in judged.findings:
        if _is_known(finding):
            continue
        yield ""
        yield from _finding(finding, judged, release, sources, pen, verbose)
        yield from commands(judged, finding)


def _storage(storage: StorageVerdictReport) -> str:
    """The condition StorageLiveMigratable in words."""
    if storage.status is None:
        return f"cannot tell yet ({', '.join(storage.possible_reasons)})"
    return "True" if storage.status else f"False, {storage.reason} ({', '.join(storage.reasons)})"


def _verdict(judged: ObjectReport, release: str) -> tuple[str, int] | None:
    """The verdict as a phrase, with its colour. The result is None for a kind without a verdict."""
    verdict = judged.verdict
    if verdict is None:
        return None if judged.findings else ("nothing found", GREEN)
    kubevirt = f"KubeVirt {verdict.release}"
    refused = _refused(judged) if release == "any" else 0
    if verdict.live_migratable is None:
        if refused:
            where = releases_phrase(refused)
            return f"cannot be live-migrated by KubeVirt {where}, cannot tell yet for {kubevirt}", YELLOW
        return f"cannot tell yet whether it can be live-migrated ({kubevirt})", CYAN
    if refused in (0, SUPPORTED) or bool(refused & only(NEWEST)) is verdict.live_migratable:
        if verdict.live_migratable:
            return f"can be live-migrated ({kubevirt})", GREEN
        return f"cannot be live-migrated ({reason_phrase(verdict)}, {kubevirt})", RED
    where, elsewhere = f"KubeVirt {releases_phrase(refused)}", releases_phrase(SUPPORTED & ~refused)
    if verdict.live_migratable:
        return f"cannot be live-migrated by {where}, but can be live-migrated {elsewhere}", YELLOW
    return f"cannot be live-migrated by {where} ({reason_phrase(verdict)}), but can be live-migrated {elsewhere}", RED


def _refused(judged: ObjectReport) -> Releases:
    """The releases in which at least one finding makes KubeVirt refuse the object."""
    refused = 0
    for finding in judged.findings:
        if finding.basis == Basis.KUBEVIRT and finding.outcome == "violation":
            refused |= releases_named(finding.release_list)
    return refused & SUPPORTED


def _finding(
    finding: FindingReport, judged: ObjectReport, release: str, sources: Sources, pen: Pen, verbose: bool
) -> Iterator[str]:
    """A finding with its frame and its fix. An exempted finding needs neither, except with ``verbose``."""
    place = ""
    if judged.source is not None and finding.line is not None:
        place = f"  {_file(judged.source.file)}:{finding.line}"
        place += f":{finding.column}" if finding.column is not None else ""
    undetermined = finding.outcome == "undetermined"
    kind = finding.action if finding.exemption is None else "exempted"
    label = f"{kind} {finding.rule} {finding.name}" + (" (unproven)" if undetermined else "")
    shade = CYAN if undetermined and finding.action != Action.DENY else COLOURS.get(Action(finding.action), BLUE)
    yield f"  {pen.paint(label, BOLD, shade)}{place}{pen.paint(f'  {finding.path}', DIM) if finding.path else ''}"
    yield from pen.wrap(finding.message)
    is_open = finding.exemption is None or verbose
    if judged.source is not None and is_open:
        yield from _frame(finding, sources.get(judged.source.file, ()), pen)
    if finding.remedy and is_open:
        yield from pen.wrap(finding.remedy, label="to settle it: " if undetermined else "fix: ")
    unproven = any(
        other.outcome == "undetermined" and (other.rule, other.path) == (finding.rule, finding.path)
        for other in judged.findings
    )
    for remark in _remarks(finding, release, unproven):
        yield from pen.wrap(remark, label="note: ")


def _remarks(finding: FindingReport, release: str, unproven: bool) -> Iterator[str]:
    """Notes on a finding. ``unproven`` is true if another finding of the rule at the same place is undetermined."""
    if reason := exempted(finding):
        yield reason
    if finding.basis == Basis.BASELINE:
        names_profile = "exact" in finding.message or finding.action != Action.DENY
        own = (
            "It is unproven whether KubeVirt itself would migrate such a VM"
            if unproven
            else "KubeVirt itself would migrate such a VM"
        )
        yield f"{own}. The rule is on Migratable's fixed list." + (
            "" if names_profile else " Profile `exact` only warns."
        )
    held = releases_named(finding.release_list) & SUPPORTED
    if release != "any" or held in (0, SUPPORTED):
        return
    rest = SUPPORTED & ~held
    if finding.basis != Basis.KUBEVIRT or finding.outcome != "violation":
        yield f"This finding holds for KubeVirt {releases_phrase(held)}, but not {releases_phrase(rest)}."
    elif unproven:
        yield f"KubeVirt refuses such a VM {releases_phrase(held)}."
    else:
        yield f"KubeVirt refuses such a VM {releases_phrase(held)} and accepts it {releases_phrase(rest)}."


def _frame(finding: FindingReport, lines: Sequence[str], pen: Pen) -> Iterator[str]:
    gutter = gutter_of(finding, lines)
    for row in rows_of(finding, lines, max(pen.width - len(INDENT) - gutter - 3, 20)):
        if row.number is None:
            carets = row.text.lstrip()
            indent = row.text.removesuffix(carets)
            yield f"{INDENT}{' ' * gutter} {pen.paint('|', DIM)} {indent}{pen.paint(carets, BOLD, RED)}"
        else:
            yield f"{INDENT}{pen.paint(f'{row.number:>{gutter}} |', DIM)} {row.text}".rstrip()


def _file(name: str) -> str:
    return printable(name) if name not in ("", "-") else "stdin"
