"""``migratable check``."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from webhook.errors import BadInput, WebhookError
from webhook.policy import Policy, Profile
from webhook.resolve.files import Sources, read_all
from webhook.resolve.manifests import Manifests
from webhook.resolve.policy_file import read_policy
from webhook.surfaces.checking import Settings, check
from webhook.surfaces.cli.outputs import FORMATS, outputs_of, write_all
from webhook.surfaces.cli.progress import bar
from webhook.surfaces.cli.status import exit_status, fail


@click.command("check")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH", help="The same as PATH, as kubectl has it.")
@click.option("-R", "--recursive", is_flag=True, help="Look into folders inside folders.")
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Files and folders to leave out; they are named.")
@click.option("--require-match", is_flag=True, help="Fail where there was nothing to judge.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="FORMAT[=FILE]", help=f"{', '.join(FORMATS)}; repeatable."
)
@click.option(
    "--release", default="", metavar="any|1.x", help="KubeVirt release; else what the KubeVirt CR says, else any."
)
@click.option("--profile", type=click.Choice([each.value for each in Profile]), help="strict (default) or exact.")
@click.option(
    "--policy", "policy_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Policy file."
)
@click.option(
    "--facts", multiple=True, metavar="PATH", help="Manifests to look references up in; not judged themselves."
)
@click.option("--fail-on", type=click.Choice(["deny", "warn", "never"]), default="deny", show_default=True)
@click.option("--strict", is_flag=True, help="Fail on what cannot be proven, too.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Also show objects without findings, and assumptions.")
def command(
    paths: Sequence[str],
    files: Sequence[str],
    recursive: bool,
    ignore: Sequence[str],
    require_match: bool,
    outputs: Sequence[str],
    release: str,
    profile: str | None,
    policy_file: Path | None,
    facts: Sequence[str],
    fail_on: str,
    strict: bool,
    color: str,
    verbose: bool,
) -> None:
    """
    Check manifests: files, folders, or - for standard input.

    References between all inputs are resolved; what nobody showed us is unproven and says what would settle it.
    """
    if not paths and not files:
        raise click.UsageError("Name files or folders, or - for standard input.")
    wanted = outputs_of(outputs)
    sources = Sources()
    try:
        policy = read_policy(policy_file) if policy_file is not None else Policy()
        if profile is not None:
            policy = policy.with_profile(Profile(profile))
        drawn = bar()
        inputs = read_all([*paths, *files], recursive=recursive, sources=sources, ignore=ignore, progress=drawn)
        if drawn is not None:
            drawn.clear()
        known = read_all(facts, recursive=True, sources=sources)
        unread = [Manifests((), one.problems) for one in known]
        background = [given for one in known for given in one.given]
        report = check([*inputs, *unread], Settings(policy, release, _today()), background)
    except WebhookError as error:
        fail(error)
    write_all(wanted, report, sources.lines, color, verbose=verbose)
    for problem in report.problems:
        where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        click.echo(f"error: {where}: {problem.message}. {problem.remedy}", err=True)
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    if sources.ignored:
        click.echo(f"note: not read, as --ignore asks: {', '.join(sources.ignored)}", err=True)
    if require_match and not report.objects:
        fail(BadInput("there was nothing to judge", remedy="Check the paths, or leave out --require-match."))
    sys.exit(exit_status(report, fail_on, strict=strict))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
