"""Runs ``migratable check`` with the options that ``options`` or click has read."""

import gc
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os.path import isdir
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from webhook.check.check import Settings
from webhook.errors import BadInput, Misconfigured, WebhookError
from webhook.facts.objects_world import NO_SNAPSHOT, Snapshot
from webhook.manifests.files import Inputs, read_all
from webhook.manifests.objects import Manifests
from webhook.manifests.sources import Sources
from webhook.policy.policy import Policy
from webhook.report.model import Report
from webhook.report.printable import escaped
from webhook.surfaces.cli.check_files import Check
from webhook.surfaces.cli.configuration import LoadedConfig, find, read, start_of
from webhook.surfaces.cli.exemptions import add_expiry_notes, apply_baseline, apply_comments, write_baseline
from webhook.surfaces.cli.main import interruptible
from webhook.surfaces.cli.notes import write_notes
from webhook.surfaces.cli.outputs import Output, Style, outputs_of, write_all
from webhook.surfaces.cli.progress import bar
from webhook.surfaces.cli.settings import EffectiveSettings, Flags, combine, show
from webhook.surfaces.cli.status import (
    EXIT_ERROR,
    UsageMistake,
    exit_status,
    fail,
    write_errors,
    write_problems,
    write_stderr,
    write_stdout,
)

if TYPE_CHECKING:
    from pathlib import Path

    from webhook.manifests.ignored import IgnorePatterns
    from webhook.manifests.search import Listed
    from webhook.surfaces.cli.nested import NestedConfigurations

GC_THRESHOLD = 1_000_000
"""
Number of new objects between two garbage collections. A check creates almost no reference cycles. Python's default, a collection
every 700 objects, took half of a long run.
"""

MAX_JOBS = 256
FILES_PER_PROCESS = 128
"""
Minimum number of files for each process. With fewer files, starting another process takes longer than it saves
(docs/decisions/0035).
"""


class RunOptions(msgspec.Struct, frozen=True):
    """The options that no configuration file can set."""

    paths: Sequence[str]
    outputs: Sequence[Output]
    recursive: bool
    no_recursive: bool
    color: str
    verbose: bool
    relative_to: str | None
    omit_exempted: bool
    stdin_filename: str | None
    quiet: bool
    statistics: bool
    kustomizations: Sequence[str]
    charts: Sequence[str]
    values: Sequence[str]
    chart_settings: Sequence[str]
    write_baseline: bool
    fix: bool
    diff: bool
    options: bool
    choose: Sequence[str]
    jobs: str


_RUN_OPTIONS = tuple(name for name in RunOptions.__struct_fields__ if name not in ("paths", "outputs"))


def run(options: Mapping[str, Any]) -> NoReturn:
    """
    Checks the input, and exits with the status. ``options`` has ``paths`` and the keys of ``options.OPTIONS``.

    Raises UsageMistake if options contradict each other or name an unknown rule or format.
    """
    flags = {name: options[name] for name in Flags.__struct_fields__}
    paths = [*options["paths"], *options["files"]]
    folders = [*options["kustomizations"], *options["charts"]]
    if options["files_from"] == "-" and "-" in paths:
        raise UsageMistake("Standard input cannot be both a manifest and the list of --files-from.")
    if not paths and not folders and options["files_from"] is None and not options["show_config"]:
        raise UsageMistake("Name files or folders, or - for standard input.")
    if options["fix"] and "-" in paths:
        raise UsageMistake("--fix cannot write to standard input. Use --diff to print the changes.")
    if options["files_from"] is not None:
        paths += _list(options["files_from"])
    run_options = RunOptions(
        paths, outputs=outputs_of(options["outputs"]), **{name: options[name] for name in _RUN_OPTIONS}
    )
    _refuse_contradictions(run_options, has_outputs=bool(options["outputs"]))
    try:
        loaded = (
            LoadedConfig()
            if options["isolated"]
            else _configuration(options["config_file"], _config_paths([*paths, *folders], options["stdin_filename"]))
        )
        effective = combine(Flags(**flags), loaded, _policy)
        if options["show_config"]:
            write_stdout(show(effective))
            sys.exit(0)
        nested = None if options["isolated"] or options["config_file"] else _nested(paths, Flags(**flags))
        before = gc.get_threshold()
        gc.set_threshold(GC_THRESHOLD, *before[1:])
        try:
            sys.exit(_run(run_options, effective, loaded, nested))
        finally:
            gc.set_threshold(*before)
    except WebhookError as error:
        fail(error)


def _list(name: str) -> "list[Listed]":
    """The paths of ``--files-from``. An empty list is not an error, because a change may contain no file."""
    from webhook.surfaces.cli.files_from import read_list

    try:
        names = read_list(name)
    except WebhookError as error:
        fail(error)
    if not names:
        write_stderr("note: the list of --files-from is empty")
    return names


def _refuse_contradictions(options: RunOptions, *, has_outputs: bool) -> None:
    """Raises UsageMistake if an option would have no effect because of another option."""
    switches = {"--fix": options.fix, "--diff": options.diff, "--options": options.options}
    used = [name for name, is_used in switches.items() if is_used]
    if len(used) > 1:
        raise UsageMistake(
            f"Use only one of {' and '.join(used)}: --fix writes files, --diff and --options only print."
        )
    if options.recursive and options.no_recursive:
        raise UsageMistake("Use only one of --recursive and --no-recursive.")
    if options.choose and (not used or options.options):
        raise UsageMistake("--choose needs --fix or --diff: it selects the option to apply.")
    if options.relative_to is not None and not isdir(options.relative_to):  # noqa: PTH112 - pathlib takes 3 ms to import
        raise UsageMistake(f"--relative-to {options.relative_to}: no such folder.")
    if options.stdin_filename is not None and "-" not in options.paths:
        raise UsageMistake("--stdin-filename needs standard input. Add - to the paths.")
    for name, values in (("--values", options.values), ("--set", options.chart_settings)):
        if values and not options.charts:
            raise UsageMistake(f"{name} needs --helm: it sets values of a chart.")
    is_number = options.jobs.isdecimal() and len(options.jobs) < 5  # int() refuses 4,300 digits
    if options.jobs != "auto" and not (is_number and 0 < int(options.jobs) <= MAX_JOBS):
        raise UsageMistake(f"--jobs {options.jobs}: write auto or a number from 1 to {MAX_JOBS}.")
    if options.quiet and options.verbose:
        raise UsageMistake("Use only one of --quiet and --verbose.")
    if options.statistics and all(output.form != "text" for output in options.outputs):
        raise UsageMistake("--statistics changes only the text output. Add -o text.")
    prints_patches = options.diff or options.options
    for name, is_used in (("--write-baseline", options.write_baseline), ("--output", has_outputs)):
        if prints_patches and is_used:
            raise UsageMistake(f"{used[0]} prints only patches. Remove {name}.")


def _policy(path: "Path") -> Policy:
    from webhook.manifests.policy_file import read_policy

    return read_policy(path)


def _config_paths(paths: Sequence[str], stdin_filename: str | None) -> list[str]:
    """The paths where the search for a configuration file starts. For standard input, the path is ``stdin_filename``."""
    return [stdin_filename if path == "-" and stdin_filename else path for path in paths]


def _configuration(config_file: str | None, paths: Sequence[str]) -> LoadedConfig:
    if config_file is None:
        return find(paths)
    from pathlib import Path

    return read(Path(config_file), pinned=True)


def _nested(paths: Sequence[str], flags: Flags) -> "NestedConfigurations | None":
    """The configurations in subfolders. A single file has no such configurations."""
    if len(paths) == 1 and not isdir(paths[0]):  # noqa: PTH112 - pathlib takes 3 ms to import
        return None
    from webhook.surfaces.cli.nested import NestedConfigurations

    return NestedConfigurations(start_of(paths), flags, _policy)


def _run(
    options: RunOptions, effective: EffectiveSettings, loaded: LoadedConfig, nested: "NestedConfigurations | None"
) -> int:
    """The whole check. Returns the exit status."""
    progress = bar(quiet=options.quiet)
    sources, facts = Sources(stdin_name=escaped(options.stdin_filename or "-")), Sources()
    if effective.baseline is None:
        sources.forgotten = None  # only a baseline needs the names of all files
    references = read_all(effective.facts, recursive=True, sources=facts)
    today = datetime.now(UTC).date().isoformat()
    check = Check(
        Settings(effective.policy, effective.release, today),
        [manifest for file in references for manifest in file.objects],
        _snapshot(effective.snapshot),
        progress,
        nested,
    )
    targets = [output.target for output in options.outputs]  # these files can be reports of an earlier run
    inputs = Inputs(
        options.paths,
        recursive=not options.no_recursive,
        sources=sources,
        ignore=_ignore_patterns(effective, nested),
        gitignore=effective.gitignore,
        own_files=[str(path) for path in (loaded.path, *effective.files, *targets) if path is not None],
        progress=progress,
        rendered=_rendered(options, sources) if options.kustomizations or options.charts else (),
        fixes=options.fix or options.diff or options.options,
    )
    unreadable = [Manifests((), manifests.problems) for manifests in references]

    def with_exemptions(report: Report) -> Report:
        sources.texts.add(facts.texts)
        sources.others |= facts.others
        sources.patches |= facts.patches
        sources.charts |= facts.charts
        if sources.rendered:
            from webhook.report.rendered import with_templates

            report = with_templates(report, sources.rendered)
            report = msgspec.structs.replace(report, notes=[*report.notes, *sources.rendering_notes])
        exemptions = [*effective.policy.exemptions, *(nested.exemptions if nested is not None else ())]
        report = add_expiry_notes(report, exemptions, today)
        report = apply_comments(report, sources, today)
        return report if options.write_baseline else apply_baseline(report, effective.baseline, sources)

    def judge(files: Sequence[Manifests]) -> Report:
        return with_exemptions(check.all_at_once(files))

    if options.diff or options.options or options.fix:
        from webhook.surfaces.cli.fix import show_fixes, write_fixes

        interruptible()
        manifests = [*inputs, *unreadable]
        if not options.fix:
            return show_fixes(manifests, sources, judge, options.choose, options=options.options)
        report = write_fixes(manifests, sources, judge, options.choose)
    else:
        count = _processes(options.jobs, len(inputs))
        report = with_exemptions(
            check.one_by_one(inputs, unreadable)
            if count == 1
            else check.in_processes(inputs, sources, unreadable, count)
        )
    if options.write_baseline:
        return write_baseline(report, effective.baseline)
    return _show(report, options, effective, loaded, sources, nested)


def _show(
    report: Report,
    options: RunOptions,
    effective: EffectiveSettings,
    loaded: LoadedConfig,
    sources: Sources,
    nested: "NestedConfigurations | None",
) -> int:
    """Writes the report with its problems and notes. Returns the exit status."""
    style = Style(
        options.color,
        options.verbose,
        options.relative_to,
        options.omit_exempted,
        options.quiet,
        options.statistics,
    )
    unwritten = write_all(options.outputs, report, sources, style)
    write_problems(report.problems)
    if not options.quiet:
        write_notes(report, options, effective, loaded, sources)
        if nested is not None and nested.names:
            from webhook.surfaces.cli.nested import notes

            for note in notes(nested):
                write_stderr(f"note: {note}")
    if unwritten:
        write_errors(unwritten)
        return EXIT_ERROR
    if effective.require_match and not report.objects:
        raise BadInput("no object was judged", remedy="Check the paths, or remove --require-match.")
    return exit_status(report, effective.fail_on, strict=effective.strict)


def _processes(jobs: str, files: int) -> int:
    """The number of processes for a check of so many files."""
    useful = files // FILES_PER_PROCESS
    if jobs == "1" or useful < 2:
        return 1
    from webhook.surfaces.cli.cores import can_fork, default_jobs

    if not can_fork():
        return 1
    return min(default_jobs() if jobs == "auto" else int(jobs), useful)


def _rendered(options: RunOptions, sources: Sources) -> Sequence[Manifests]:
    """
    The output of kustomize and helm. Ctrl-C raises KeyboardInterrupt again before these programs start, so that the check can
    end them.
    """
    from webhook.surfaces.cli.rendering import RenderOptions, render

    interruptible()
    return render(
        RenderOptions(options.kustomizations, options.charts, options.values, options.chart_settings), sources
    )


def _ignore_patterns(effective: EffectiveSettings, nested: "NestedConfigurations | None") -> "IgnorePatterns | None":
    if not effective.ignore and nested is None:
        return None
    from webhook.manifests.ignored import IgnorePatterns

    return IgnorePatterns(nested.patterns(effective.ignore) if nested is not None else lambda _folder: effective.ignore)


def _snapshot(path: "Path | None") -> Snapshot:
    if path is None:
        return NO_SNAPSHOT
    from webhook.manifests.snapshot import parse, refuse_larger

    try:
        refuse_larger(path.stat().st_size, str(path))
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"snapshot {path} cannot be read: {error.strerror}", remedy="Check --snapshot.") from None
    return parse(content, str(path))
