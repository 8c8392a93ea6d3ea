"""``migratable check``."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from webhook.errors import BadInput, Misconfigured, WebhookError
from webhook.facts.snapshot import NO_SNAPSHOT, Snapshot
from webhook.policy import Policy
from webhook.report.model import Report
from webhook.resolve.files import Inputs, Sources, read_all
from webhook.resolve.manifests import Manifests
from webhook.surfaces.checking import Settings
from webhook.surfaces.cli.configuration import FAIL_ON, Found, find, read
from webhook.surfaces.cli.exemptions import apply_baseline, apply_comments, tell_lapses, write_baseline
from webhook.surfaces.cli.outputs import FORMATS, Output, outputs_of, write_all
from webhook.surfaces.cli.progress import Bar, bar
from webhook.surfaces.cli.rule_parameter import RULE_NAME
from webhook.surfaces.cli.settings import Flags, Settled, settle, show
from webhook.surfaces.cli.status import exit_status, fail, tell_problems
from webhook.surfaces.one_by_one import OneByOne

SELDOM = 100_000
"""Objects that are made and not freed again between two looks for garbage."""
_PATH = click.Path(exists=True, dir_okay=False)


class Asked(msgspec.Struct, frozen=True):
    """What of the command line is about this run alone."""

    paths: Sequence[str]
    recursive: bool
    outputs: Sequence[Output]
    color: str
    verbose: bool
    write_baseline: bool
    fix: bool
    diff: bool
    options: bool
    choose: Sequence[str]


@click.command("check")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH", help="The same as PATH, as kubectl has it.")
@click.option("-R", "--recursive", is_flag=True, help="Look into folders inside folders.")
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Files and folders to leave out; they are named.")
@click.option("--require-match", is_flag=True, default=None, help="Fail where there was nothing to judge.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FORMAT[=FILE]", help=f"{', '.join(FORMATS)}; repeatable."
)
@click.option("--release", metavar="any|1.x", help="KubeVirt release; else what the KubeVirt CR says, else any.")
@click.option("--profile", type=click.Choice(["strict", "exact"]), help="strict (default) or exact.")
@click.option("--policy", type=_PATH, help="Policy file.")
@click.option(
    "--facts", multiple=True, metavar="PATH", help="Manifests to look references up in; not judged themselves."
)
@click.option("--snapshot", metavar="FILE", help="What `migratable snapshot` recorded of the cluster.")
@click.option(
    "--only",
    multiple=True,
    metavar="RULE",
    type=RULE_NAME,
    help="Judge by these rules alone: ids, names, or LM2 for a family.",
)
@click.option("--skip", multiple=True, metavar="RULE", type=RULE_NAME, help="Leave these rules out.")
@click.option("--rule", "rules", multiple=True, metavar="RULE=ACTION", help="deny, warn, audit or off for a rule.")
@click.option("--baseline", metavar="FILE", help="Findings that are known and do not fail the check.")
@click.option("--write-baseline", is_flag=True, help="Write all findings there are into the baseline.")
@click.option("--fix", is_flag=True, help="Write safe fixes into the files; comments, order and style stay.")
@click.option("--diff", is_flag=True, help="Show what --fix would write, as a patch; write nothing.")
@click.option("--options", is_flag=True, help="Show the other fixes: numbered, each with its patch.")
@click.option("--choose", multiple=True, metavar="RULE=N", help="Make --fix and --diff take option N of a rule, too.")
@click.option("--config", "config_file", type=_PATH, help="Configuration; else the nearest migratable.yaml upward.")
@click.option("--isolated", is_flag=True, help="Use no configuration file.")
@click.option("--show-config", is_flag=True, help="Print the settings in force with the origin of each, and stop.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="What makes the status 1: deny (default), warn, never.")
@click.option("--strict", is_flag=True, default=None, help="Fail on what cannot be proven, too.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Also show objects without findings, and assumptions.")
def command(
    paths: Sequence[str],
    files: Sequence[str],
    recursive: bool,
    outputs: Sequence[str],
    write_baseline: bool,
    fix: bool,
    diff: bool,
    options: bool,
    choose: Sequence[str],
    config_file: str | None,
    isolated: bool,
    show_config: bool,
    color: str,
    verbose: bool,
    **flags: Any,  # noqa: ANN401 - the fields of Flags
) -> None:
    """
    Check manifests: files, folders, or - for standard input.

    References between all inputs are resolved; what nobody showed us is unproven and says what would settle it.
    """
    named = [*paths, *files]
    if not named and not show_config:
        raise click.UsageError("Name files or folders, or - for standard input.")
    if fix and "-" in named:
        raise click.UsageError("--fix writes files, and standard input is none; --diff shows what it would write.")
    asked = Asked(named, recursive, outputs_of(outputs), color, verbose, write_baseline, fix, diff, options, choose)
    _refuse_contradictions(asked, has_outputs=bool(outputs))
    try:
        found = Found() if isolated else _configuration(config_file, named)
        settled = settle(Flags(**flags), found, _policy)
        if show_config:
            click.echo(show(settled), nl=False)
            return
        with _seldom_collected():
            sys.exit(_run(asked, settled, found))
    except WebhookError as error:
        fail(error)


def _refuse_contradictions(asked: Asked, *, has_outputs: bool) -> None:
    """Raises click's usage error for switches of which one would have no say: what was asked for is done, or refused."""
    switches = {"--fix": asked.fix, "--diff": asked.diff, "--options": asked.options}
    given = [name for name, is_given in switches.items() if is_given]
    if len(given) > 1:
        raise click.UsageError(f"Give one of {' and '.join(given)}: --fix writes, --diff and --options only show.")
    if asked.choose and (not given or asked.options):
        raise click.UsageError("--choose is for --fix and --diff: it says which option they take.")
    shows = asked.diff or asked.options
    for name, is_given in (("--write-baseline", asked.write_baseline), ("--output", has_outputs)):
        if shows and is_given:
            raise click.UsageError(f"{given[0]} prints patches and nothing else: leave out {name}.")


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Next to nothing of a check is garbage in circles: to look for it at every 700 objects took half of a long run."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _policy(path: Path) -> Policy:
    from webhook.resolve.policy_file import read_policy

    return read_policy(path)


def _configuration(config_file: str | None, named: Sequence[str]) -> Found:
    return read(Path(config_file), pinned=True) if config_file is not None else find(named)


def _run(asked: Asked, settled: Settled, found: Found) -> int:
    sources, facts = Sources(), Sources()
    known = read_all(settled.facts, recursive=True, sources=facts)
    unread = [Manifests((), one.problems) for one in known]
    looked_up = [given for one in known for given in one.given]
    snapshot = _snapshot(settled.snapshot)
    today = datetime.now(UTC).date().isoformat()
    settings = Settings(settled.policy, settled.release, today)
    drawn = bar()
    ours = [each for each in (found.path, *settled.files) if each is not None]
    inputs = Inputs(
        asked.paths, recursive=asked.recursive, sources=sources, ignore=settled.ignore, ours=ours, progress=drawn
    )

    def told(report: Report) -> Report:
        sources.texts |= facts.texts
        report = tell_lapses(report, settled.policy.exemptions, today)
        report = apply_comments(report, sources, today)
        return report if asked.write_baseline else apply_baseline(report, settled.baseline, sources)

    def judge(given: Sequence[Manifests]) -> Report:
        one_by_one = OneByOne(settings, given.__getitem__, looked_up, snapshot, drawn.judged)
        drawn.begin("checking")
        drawn(0, len(given))
        for done, each in enumerate(given, 1):
            one_by_one.add(each)
            drawn(done, len(given))
        return told(_finished(one_by_one, drawn))

    if asked.diff or asked.options or asked.fix:
        whole = [*inputs, *unread]
        if not asked.fix:
            from webhook.surfaces.cli.fixing import show_fixes

            return show_fixes(whole, sources, judge, asked.choose, options=asked.options)
        from webhook.surfaces.cli.fixing import write_fixes

        report = write_fixes(whole, sources, judge, asked.choose)
    else:
        one_by_one = OneByOne(settings, inputs.read, looked_up, snapshot, drawn.judged)
        drawn.begin("checking")
        for number, each in enumerate(inputs):
            if not one_by_one.add(each).has_findings:
                inputs.forget(number)
        for each in unread:
            one_by_one.add(each)
        report = told(_finished(one_by_one, drawn))
    if asked.write_baseline:
        return write_baseline(report, settled.baseline)
    write_all(asked.outputs, report, sources, asked.color, verbose=asked.verbose)
    _tell(report, asked, settled, found, sources)
    if settled.require_match and not report.objects:
        raise BadInput("there was nothing to judge", remedy="Check the paths, or leave out --require-match.")
    return exit_status(report, settled.fail_on, strict=settled.strict)


def _snapshot(path: Path | None) -> Snapshot:
    if path is None:
        return NO_SNAPSHOT
    from webhook.resolve.snapshot import parse, refuse_larger

    try:
        refuse_larger(path.stat().st_size, str(path))
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"snapshot {path} cannot be read: {error.strerror}", remedy="Check --snapshot.") from None
    return parse(content, str(path))


def _finished(one_by_one: OneByOne, drawn: Bar) -> Report:
    drawn.begin("checking again")
    report = one_by_one.report(drawn)
    drawn.clear()
    return report


def _tell(report: Report, asked: Asked, settled: Settled, found: Found, sources: Sources) -> None:
    """Says on stderr what is not in the answer that the user sees."""
    tell_problems(report.problems)
    if not any(output.form == "text" and output.target is None for output in asked.outputs):
        for note in report.notes:
            click.echo(f"note: {note}", err=True)
    if sources.ignored:
        click.echo(f"note: not read, as asked: {', '.join(sources.ignored)}", err=True)
    if found.path is not None and not found.is_pinned:
        click.echo(
            f"note: settings come from {found.path}, beside what is checked: who changes the one can change the other. "
            "To pin them, name a file from elsewhere with --config.",
            err=True,
        )
