"""``--fix``, ``--diff`` and ``--options`` of ``migratable check``."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.manifests.judged_objects import JudgedObjects
from webhook.manifests.objects import ManifestObject, Manifests, read_manifests
from webhook.manifests.replacements import patch_object
from webhook.manifests.sources import Sources
from webhook.objects.whole_number import whole_number
from webhook.report.kubectl import command_for
from webhook.report.model import FindingReport, FixReport, ObjectReport, Report
from webhook.report.rule_names import find_rules, hint
from webhook.report.sentences import name_of, place_of
from webhook.surfaces.cli.patches import FROM_ROOT, Patches, write_patch
from webhook.surfaces.cli.status import (
    EXIT_ERROR,
    EXIT_FINDINGS,
    UsageMistake,
    write_problems,
    write_stderr,
)
from webhook.surfaces.cli.write_files import write_files

MOST_ROUNDS = 10
_RENDERED = "cannot be fixed: --fix does not write rendered manifests. Change"
Check: TypeAlias = Callable[[Sequence[Manifests]], Report]


class Fixed(msgspec.Struct):
    """The result of fixing."""

    report: Report
    """The report after the fixes."""
    inputs: list[Manifests]
    texts: dict[str, bytes]
    """The new contents of the changed files, by name."""
    count: int
    """The number of fixes that were written."""
    refused: list[str]
    """A line for each fix that could not be written, with the reason."""


def write_fixes(inputs: list[Manifests], sources: Sources, check: Check, chosen: Sequence[str]) -> Report:
    """Fixes the files, and returns the report on the new contents. Updates ``sources``."""
    fixed = fix(inputs, sources.texts, check, choices_of(chosen))
    for name in fixed.texts:
        if name not in sources.paths:
            remedy = "Use --diff to print the changes."
            raise BadInput("--fix can change only regular files", remedy=remedy, source=name)
    write_files({sources.paths[name]: _encoded(content, name, sources) for name, content in fixed.texts.items()})
    findings = "1 finding" if fixed.count == 1 else f"{fixed.count} findings"
    files = "1 file" if len(fixed.texts) == 1 else f"{len(fixed.texts)} files"
    write_stderr(f"note: fixed {findings} in {files}")
    for line in fixed.refused:
        write_stderr(f"note: {line}")
    return fixed.report


def show_fixes(inputs: list[Manifests], sources: Sources, check: Check, chosen: Sequence[str], *, options: bool) -> int:
    """Prints the patch, or each option with its patch. Returns the exit status: 1 if there are changes to make."""
    if options:
        report = check(inputs)
        shown, refused = list_options(report, inputs, sources)
        has_changes = bool(shown)
    else:
        before = dict(sources.texts)
        fixed = fix(inputs, sources.texts, check, choices_of(chosen))
        report = fixed.report
        shown, refused = Patches(fixed.texts, sources).all_changes(before, fixed.texts)
        refused += fixed.refused
        has_changes = bool(fixed.texts)
    write_patch(shown)
    for line in refused:
        write_stderr(f"note: {line}")
    write_problems(report.problems)
    return EXIT_ERROR if report.problems else EXIT_FINDINGS if has_changes else 0


def _encoded(content: bytes, name: str, sources: Sources) -> bytes:
    """The text in the encoding of the file. UTF-16 text begins with a byte order mark."""
    encoding = sources.encodings.get(name, "utf-8")
    return content if encoding == "utf-8" else f"\ufeff{content.decode()}".encode(encoding)


def choices_of(words: Sequence[str]) -> dict[str, int]:
    """The number of the chosen option, by rule. Raises UsageMistake for an invalid choice."""
    chosen: dict[str, int] = {}
    for choice in words:
        word, _, written = choice.partition("=")
        rules = find_rules(word)
        if not rules:
            raise UsageMistake(f"Unknown rule {word!r}{hint(word)}. Run `migratable rules` for the list.")
        number = whole_number(written)
        if not number:
            raise UsageMistake(f"--choose {choice}: write RULE=NUMBER, such as --choose {rules[0]}=1.")
        chosen |= dict.fromkeys(rules, number)
    return chosen


def fix(inputs: list[Manifests], texts: MutableMapping[str, bytes], check: Check, choices: Mapping[str, int]) -> Fixed:
    """
    Writes all safe fixes and the chosen options into ``texts``. Repeats until no fix is left.

    A fix is not written if it would also change another part of the file. Its finding stays in the report.
    """
    fixed = Fixed(check(inputs), inputs, {}, 0, [])
    for _ in range(MOST_ROUNDS):
        changed = _round(fixed, texts, choices)
        if not changed:
            break
        fixed.inputs = [_reread(manifests, changed) for manifests in fixed.inputs]
        fixed.texts |= changed
        texts.update(changed)  # comments and code frames use these texts
        fixed.report = check(fixed.inputs)
    return fixed


def _reread(manifests: Manifests, changed: Mapping[str, bytes]) -> Manifests:
    name = manifests.objects[0].document.source if manifests.objects else ""
    return read_manifests(changed[name], name) if name in changed else manifests


def _round(fixed: Fixed, texts: Mapping[str, bytes], choices: Mapping[str, int]) -> dict[str, bytes]:
    """The new contents of the files that change in one pass over the findings."""
    objects = _objects(fixed.inputs)
    changed: dict[str, bytes] = {}
    fixed.refused = []
    for judged, finding in _findings(fixed.report):
        chosen = _chosen(finding, choices)
        if chosen is None or judged.source is None:
            continue
        if judged.source.rendered_from:
            fixed.refused.insert(
                0, f"{place_of(judged, finding)} {finding.rule} {_RENDERED} {judged.source.rendered_from}."
            )
            continue
        name = judged.source.file
        content = changed.get(name, texts.get(name, b""))
        try:
            changed[name] = patch_object(content, objects.candidates(judged), chosen.patch)
            fixed.count += 1
        except BadInput as error:
            place = f"{place_of(judged, finding)} {finding.rule}"
            fixed.refused.insert(0, f"{place} cannot be fixed: {error.message}. {error.remedy}")
    return changed


def _findings(report: Report) -> Iterator[tuple[ObjectReport, FindingReport]]:
    """
    The findings without an exemption, from the last line to the first. In this order, a change does not move the findings
    that follow.
    """
    findings = [
        (judged, finding) for judged in report.objects for finding in judged.findings if finding.exemption is None
    ]
    yield from sorted(findings, key=lambda pair: (pair[1].line or 0, pair[1].column or 0), reverse=True)


def _chosen(finding: FindingReport, choices: Mapping[str, int]) -> FixReport | None:
    safe = next((fix for fix in finding.fixes if fix.safe), None)
    number = choices.get(finding.rule, 0)
    options = options_of(finding)
    return safe or (options[number - 1] if 0 < number <= len(options) else None)


def options_of(finding: FindingReport) -> list[FixReport]:
    """The fixes that are not safe. The user chooses one of them."""
    return [fix for fix in finding.fixes if not fix.safe]


def _objects(inputs: Sequence[Manifests]) -> JudgedObjects:
    return JudgedObjects(manifest for file in inputs for manifest in file.objects)


def list_options(report: Report, inputs: Sequence[Manifests], sources: Sources) -> tuple[str, list[str]]:
    """
    Each option with its number and its patch, and notes about the patches.

    For a live object, the patch is a ``kubectl patch`` command.
    """
    objects = _objects(inputs)
    patches = Patches((judged.source.file for judged in report.objects if judged.source is not None), sources)
    blocks = []
    for judged in report.objects:
        for finding in judged.findings:
            if finding.exemption is None:
                for number, option in enumerate(options_of(finding), 1):
                    title = f"{place_of(judged, finding)} {finding.rule} {finding.name}, {name_of(judged)}"
                    patch = _patch(judged, option, objects.candidates(judged), sources.texts, patches)
                    blocks.append(f"{title}\noption {number}: {option.title}\n{patch}")
    return "\n".join(blocks), [FROM_ROOT] if blocks and patches.is_from_root else []


def _patch(
    judged: ObjectReport,
    option: FixReport,
    candidates: Sequence[ManifestObject],
    texts: Mapping[str, bytes],
    patches: Patches,
) -> str:
    if not candidates or judged.source is None:
        return ""
    if _is_live(candidates[0]):
        command = command_for(judged, option)
        return f"{command.line}\n" * bool(command.line) + f"({command.remark})\n" * bool(command.remark)
    if judged.source.rendered_from:
        return f"(the object is rendered: make this change in {judged.source.rendered_from} or its sources)\n"
    name = judged.source.file
    try:
        return patches.patch(name, texts[name], patch_object(texts[name], candidates, option.patch))
    except BadInput as error:
        return f"(make this change by hand: {error.message})\n"


def _is_live(manifest: ManifestObject) -> bool:
    """Whether the object comes from a cluster. Only an API server sets ``resourceVersion`` and ``uid``."""
    metadata = manifest.raw.get("metadata")
    return isinstance(metadata, dict) and ("resourceVersion" in metadata or "uid" in metadata)
