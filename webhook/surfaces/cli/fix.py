"""``--fix``, ``--diff`` and ``--options`` of ``migratable check``."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from shlex import quote
from typing import TypeAlias

import msgspec

from webhook.errors import BadInput
from webhook.manifests.files import Sources
from webhook.manifests.objects import ManifestObject, Manifests, read_manifests
from webhook.objects.kinds import find_kind, group_of
from webhook.report.model import FindingReport, FixReport, ObjectReport, Report
from webhook.report.rule_names import find_rules, hint
from webhook.report.sentences import file_of, name_of, place_of
from webhook.surfaces.cli.status import EXIT_ERROR, EXIT_FINDINGS, Misused, echo, tell, tell_problems
from webhook.yaml.editor import patch_text

MOST_ROUNDS = 10
Check: TypeAlias = Callable[[Sequence[Manifests]], Report]


class Fixed(msgspec.Struct):
    """What fixing came to."""

    report: Report
    """What is left."""
    inputs: list[Manifests]
    texts: dict[str, bytes]
    """The changed files' new contents, by name."""
    count: int
    """Fixes that were written."""


def write_fixes(inputs: list[Manifests], sources: Sources, check: Check, chosen: Sequence[str]) -> Report:
    """Fixes the files and returns what is left; ``sources`` then hold the new texts."""
    fixed = fix(inputs, sources.texts, check, choices_of(chosen))
    for name, content in fixed.texts.items():
        write(Path(sources.paths[name]), content)
    findings = "1 finding" if fixed.count == 1 else f"{fixed.count} findings"
    files = "1 file" if len(fixed.texts) == 1 else f"{len(fixed.texts)} files"
    tell(f"note: fixed {findings} in {files}")
    return fixed.report


def show_fixes(inputs: list[Manifests], sources: Sources, check: Check, chosen: Sequence[str], *, options: bool) -> int:
    """Prints the patch, or the options with theirs, and returns the exit status: 1 where there is something to write."""
    if options:
        report = check(inputs)
        shown = list_options(report, inputs, sources.texts)
    else:
        before = dict(sources.texts)
        fixed = fix(inputs, sources.texts, check, choices_of(chosen))
        report = fixed.report
        shown = "".join(diff(name, before[name], content) for name, content in sorted(fixed.texts.items()))
    echo(shown)
    tell_problems(report.problems)
    return EXIT_ERROR if report.problems else EXIT_FINDINGS if shown else 0


def choices_of(given: Sequence[str]) -> dict[str, int]:
    """By rule, the number of the option to take; raises Misused for what is no choice."""
    chosen: dict[str, int] = {}
    for each in given:
        word, _, number = each.partition("=")
        rules = find_rules(word)
        if not rules:
            raise Misused(f"Unknown rule {word!r}{hint(word)}. Run `migratable rules` for the list.")
        if not number.isdecimal() or int(number) < 1:
            raise Misused(f"--choose {each}: write RULE=NUMBER, such as --choose {rules[0]}=1.")
        chosen |= dict.fromkeys(rules, int(number))
    return chosen


def fix(inputs: list[Manifests], texts: dict[str, bytes], check: Check, choices: Mapping[str, int]) -> Fixed:
    """
    Writes fixes into ``texts`` until there are none left: safe ones, and the options that were chosen.

    What cannot be written without touching something else stays, and is found again by the next check.
    """
    fixed = Fixed(check(inputs), inputs, {}, 0)
    for _ in range(MOST_ROUNDS):
        changed = _round(fixed, texts, choices)
        if not changed:
            break
        fixed.inputs = [_again(each, changed) for each in fixed.inputs]
        fixed.texts |= changed
        texts |= changed  # comments and code frames are read from them
        fixed.report = check(fixed.inputs)
    return fixed


def _again(one: Manifests, changed: Mapping[str, bytes]) -> Manifests:
    name = one.objects[0].document.source if one.objects else ""
    return read_manifests(changed[name], name) if name in changed else one


def _round(fixed: Fixed, texts: Mapping[str, bytes], choices: Mapping[str, int]) -> dict[str, bytes]:
    """The files that one pass over the findings changes, and their new contents."""
    places = _places(fixed.inputs)
    changed: dict[str, bytes] = {}
    for judged, finding in _findings(fixed.report):
        taken = _taken(finding, choices)
        given = places.get(_key(judged))
        if taken is None or given is None or judged.source is None:
            continue
        name = judged.source.file
        content = changed.get(name, texts.get(name, b""))
        try:
            written = patch_text(content, name, given.document.index, given.at, taken.patch)
        except BadInput:
            continue
        if written != content:
            changed[name] = written
            fixed.count += 1
    return changed


def _findings(report: Report) -> Iterator[tuple[ObjectReport, FindingReport]]:
    """Those that nobody exempted, from the end of the text: what is removed moves only what comes behind it."""
    found = [(judged, each) for judged in report.objects for each in judged.findings if each.exemption is None]
    yield from sorted(found, key=lambda each: (each[1].line or 0, each[1].column or 0), reverse=True)


def _taken(finding: FindingReport, choices: Mapping[str, int]) -> FixReport | None:
    safe = next((each for each in finding.fixes if each.safe), None)
    number = choices.get(finding.rule, 0)
    options = options_of(finding)
    return safe or (options[number - 1] if 0 < number <= len(options) else None)


def options_of(finding: FindingReport) -> list[FixReport]:
    """The fixes that somebody has to choose."""
    return [each for each in finding.fixes if not each.safe]


def _key(judged: ObjectReport) -> tuple[str, int, int]:
    source = judged.source
    return (source.file, source.document, source.line) if source is not None else ("", 0, 0)


def _places(inputs: Sequence[Manifests]) -> dict[tuple[str, int, int], ManifestObject]:
    return {(each.document.source, each.document.index, each.line): each for one in inputs for each in one.objects}


def diff(name: str, before: bytes, after: bytes) -> str:
    """A unified diff that ``git apply`` and ``patch -p1`` take."""
    old, new = (
        [*io.StringIO(text.decode(), newline="\n")] for text in (before, after)
    )  # the ends of line that patch knows
    shown = file_of(name).lstrip("/")
    lines = unified_diff(old, new, f"a/{shown}", f"b/{shown}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def list_options(report: Report, inputs: Sequence[Manifests], texts: Mapping[str, bytes]) -> str:
    """Every option with its number and its patch: of the file, or as a ``kubectl patch`` line for a live object."""
    places = _places(inputs)
    blocks = []
    for judged in report.objects:
        for finding in judged.findings:
            if finding.exemption is None:
                for number, option in enumerate(options_of(finding), 1):
                    title = f"{place_of(judged, finding)} {finding.rule} {finding.name}, {name_of(judged)}"
                    patch = _patch(judged, option, places.get(_key(judged)), texts)
                    blocks.append(f"{title}\noption {number}: {option.title}\n{patch}")
    return "\n".join(blocks)


def _patch(judged: ObjectReport, option: FixReport, given: ManifestObject | None, texts: Mapping[str, bytes]) -> str:
    if given is None or judged.source is None:
        return ""
    if _is_live(given):
        return f"{kubectl(judged, option)}\n"
    name = judged.source.file
    try:
        written = patch_text(texts[name], name, given.document.index, given.at, option.patch)
    except BadInput as error:
        return f"(make this change by hand: {error.message})\n"
    return diff(name, texts[name], written)


def _is_live(given: ManifestObject) -> bool:
    """Whether it was read from a cluster: nobody writes these two fields."""
    metadata = given.raw.get("metadata")
    return isinstance(metadata, dict) and ("resourceVersion" in metadata or "uid" in metadata)


def kubectl(judged: ObjectReport, option: FixReport) -> str:
    """The command that makes the change in a cluster; it fails where the object has changed meanwhile."""
    known = find_kind(judged.api_version, judged.kind)
    group = group_of(judged.api_version)
    resource = known.plural if known is not None else judged.kind.lower()
    namespace = ["-n", judged.namespace] if judged.namespace else []
    patch = json.dumps(option.patch, separators=(",", ":"))
    words = ["kubectl", "patch", f"{resource}.{group}" if group else resource, judged.name, *namespace]
    return " ".join(map(quote, [*words, "--type=json", "-p", patch]))


def write(path: Path, content: bytes) -> None:
    """Replaces a file's content at once, with its rights; raises BadInput where that cannot be done."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.migratable")
    try:
        beside.write_bytes(content)
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BadInput(
            f"cannot be written: {error.strerror}",
            remedy="Check the permissions of the file and its folder.",
            source=str(path),
        ) from None
