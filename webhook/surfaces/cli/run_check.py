"""``migratable check``: what it does once its command line is read (``options``)."""

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from webhook.check.check import Settings
from webhook.check.streaming import OneByOne
from webhook.errors import BadInput, Misconfigured, WebhookError
from webhook.facts.snapshot import NO_SNAPSHOT, Snapshot
from webhook.manifests.files import Inputs, Sources, read_all
from webhook.manifests.objects import Manifests
from webhook.policy.policy import Policy
from webhook.report.model import Report
from webhook.surfaces.cli.configuration import Found, find, read
from webhook.surfaces.cli.exemptions import apply_baseline, apply_comments, tell_lapses, write_baseline
from webhook.surfaces.cli.main import interruptible
from webhook.surfaces.cli.outputs import Output, outputs_of, write_all
from webhook.surfaces.cli.progress import Bar, bar
from webhook.surfaces.cli.settings import Flags, Settled, settle, show
from webhook.surfaces.cli.status import Misused, echo, exit_status, fail, tell, tell_problems

if TYPE_CHECKING:
    from pathlib import Path

SELDOM = 100_000
"""Objects that are made and not freed again between two looks for garbage."""


class Asked(msgspec.Struct, frozen=True):
    """What of the command line is about this run alone."""

    paths: Sequence[str]
    outputs: Sequence[Output]
    recursive: bool
    color: str
    verbose: bool
    write_baseline: bool
    fix: bool
    diff: bool
    options: bool
    choose: Sequence[str]


_OWN = tuple(name for name in Asked.__struct_fields__ if name not in ("paths", "outputs"))


def run(given: Mapping[str, Any]) -> NoReturn:
    """
    Checks as the options say (``options.OPTIONS`` by key, and ``paths``), and ends with the status.

    Raises Misused where the words contradict each other or name what does not exist.
    """
    flags = {name: given[name] for name in Flags.__struct_fields__}
    named = [*given["paths"], *given["files"]]
    if not named and not given["show_config"]:
        raise Misused("Name files or folders, or - for standard input.")
    if given["fix"] and "-" in named:
        raise Misused("--fix cannot write to standard input. Use --diff to print the changes.")
    asked = Asked(named, outputs=outputs_of(given["outputs"]), **{name: given[name] for name in _OWN})
    _refuse_contradictions(asked, has_outputs=bool(given["outputs"]))
    try:
        found = Found() if given["isolated"] else _configuration(given["config_file"], named)
        settled = settle(Flags(**flags), found, _policy)
        if given["show_config"]:
            echo(show(settled))
            sys.exit(0)
        with _seldom_collected():
            sys.exit(_run(asked, settled, found))
    except WebhookError as error:
        fail(error)


def _refuse_contradictions(asked: Asked, *, has_outputs: bool) -> None:
    """Raises Misused for switches of which one would have no say: what was asked for is done, or refused."""
    switches = {"--fix": asked.fix, "--diff": asked.diff, "--options": asked.options}
    given = [name for name, is_given in switches.items() if is_given]
    if len(given) > 1:
        raise Misused(f"Use only one of {' and '.join(given)}: --fix writes files, --diff and --options only print.")
    if asked.choose and (not given or asked.options):
        raise Misused("--choose needs --fix or --diff: it selects the option to apply.")
    shows = asked.diff or asked.options
    for name, is_given in (("--write-baseline", asked.write_baseline), ("--output", has_outputs)):
        if shows and is_given:
            raise Misused(f"{given[0]} prints only patches. Remove {name}.")


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Next to nothing of a check is garbage in circles: to look for it at every 700 objects took half of a long run."""
    before = gc.get_threshold()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _policy(path: "Path") -> Policy:
    from webhook.manifests.policy_file import read_policy

    return read_policy(path)


def _configuration(config_file: str | None, named: Sequence[str]) -> Found:
    if config_file is None:
        return find(named)
    from pathlib import Path

    return read(Path(config_file), pinned=True)


def _run(asked: Asked, settled: Settled, found: Found) -> int:
    sources, facts = Sources(), Sources()
    known = read_all(settled.facts, recursive=True, sources=facts)
    unread = [Manifests((), one.problems) for one in known]
    looked_up = [given for one in known for given in one.objects]
    snapshot = _snapshot(settled.snapshot)
    today = datetime.now(UTC).date().isoformat()
    settings = Settings(settled.policy, settled.release, today)
    drawn = bar()
    ours = [str(each) for each in (found.path, *settled.files) if each is not None]
    inputs = Inputs(
        asked.paths, recursive=asked.recursive, sources=sources, ignore=settled.ignore, own_files=ours, progress=drawn
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
        interruptible()
        whole = [*inputs, *unread]
        if not asked.fix:
            from webhook.surfaces.cli.fix import show_fixes

            return show_fixes(whole, sources, judge, asked.choose, options=asked.options)
        from webhook.surfaces.cli.fix import write_fixes

        report = write_fixes(whole, sources, judge, asked.choose)
    else:
        one_by_one = OneByOne(settings, inputs.read, looked_up, snapshot, drawn.judged)
        drawn.begin("checking")
        for number, each in enumerate(inputs):
            if not one_by_one.add(each).has_findings:
                inputs.forget(number)
            if not number:
                interruptible()
        for each in unread:
            one_by_one.add(each)
        report = told(_finished(one_by_one, drawn))
    if asked.write_baseline:
        return write_baseline(report, settled.baseline)
    write_all(asked.outputs, report, sources, asked.color, verbose=asked.verbose)
    _tell(report, asked, settled, found, sources)
    if settled.require_match and not report.objects:
        raise BadInput("no object was judged", remedy="Check the paths, or remove --require-match.")
    return exit_status(report, settled.fail_on, strict=settled.strict)


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
            tell(f"note: {note}")
    if sources.ignored:
        tell(f"note: ignored files and folders: {', '.join(sources.ignored)}")
    if found.path is not None and not found.is_pinned:
        tell(
            f"note: settings come from {found.path}, next to the checked files. A change to these files can also change the "
            "settings. To pin the settings, name a file from another folder with --config."
        )
