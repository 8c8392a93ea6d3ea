"""
The command line.

Findings go to stdout, all else to stderr. Exit status: 0 nothing at or above ``--fail-on``, 1 findings, 2 usage,
unreadable input or no answer from the cluster. Neither fastapi nor kubernetes is imported until a command needs it.
"""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from webhook import __version__
from webhook.errors import BadInput, WebhookError
from webhook.policy import Policy, Profile
from webhook.report.model import Report

FORMATS = ("text", "json", "sarif")
EXIT_FINDINGS = 1
EXIT_ERROR = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Tells, before a virtual machine runs, whether KubeVirt will be able to live-migrate it."""


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH", help="The same as PATH, as kubectl has it.")
@click.option("-R", "--recursive", is_flag=True, help="Look into folders inside folders.")
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
def check(
    paths: Sequence[str],
    files: Sequence[str],
    recursive: bool,
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
    from webhook.resolve.files import Sources, read_all
    from webhook.resolve.policy_file import read_policy
    from webhook.surfaces.checking import Settings
    from webhook.surfaces.checking import check as check_manifests

    if not paths and not files:
        raise click.UsageError("Name files or folders, or - for standard input.")
    renderings = [_rendering(each) for each in outputs or ("text",)]
    sources = Sources()
    try:
        policy = read_policy(policy_file) if policy_file is not None else Policy()
        if profile is not None:
            policy = policy.with_profile(Profile(profile))
        inputs = read_all([*paths, *files], recursive=recursive, sources=sources)
        background = [given for one in read_all(facts, recursive=True, sources=sources) for given in one.given]
        report = check_manifests(inputs, Settings(policy, release, _today()), background)
    except WebhookError as error:
        _fail(error)
    for render, target in renderings:
        _write(render(report, sources.lines, _colour(color, target), verbose), target)
    for problem in report.problems:
        where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
        click.echo(f"error: {where}: {problem.message}. {problem.remedy}", err=True)
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    sys.exit(exit_status(report, fail_on, strict=strict))


def exit_status(report: Report, fail_on: str, *, strict: bool) -> int:
    """0, 1 or 2 for a report; anything that was not read is 2, whatever was found."""
    summary = report.summary
    if summary.problems:
        return EXIT_ERROR
    found = summary.deny + (summary.warn if fail_on == "warn" else 0)
    if (fail_on != "never" and found) or (strict and summary.unproven):
        return EXIT_FINDINGS
    return 0


Rendering = Callable[[Report, dict[str, list[str]], bool, bool], str]


def _rendering(output: str) -> tuple[Rendering, Path | None]:
    form, _, target = output.partition("=")
    if form not in FORMATS:
        raise click.UsageError(f"No output format {form!r}; there are {', '.join(FORMATS)}.")
    return {"text": _text, "json": _json, "sarif": _sarif}[form], Path(target) if target else None


def _text(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from shutil import get_terminal_size

    from webhook.report import text

    return text.render(
        report, sources=lines, colour=colour, width=min(get_terminal_size().columns, 120), verbose=verbose
    )


def _json(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from webhook.report import as_json

    return as_json.render(report)


def _sarif(report: Report, lines: dict[str, list[str]], colour: bool, verbose: bool) -> str:
    from webhook.report import sarif

    return sarif.render(report, version=__version__)


def _colour(color: str, target: Path | None) -> bool:
    """NO_COLOR and FORCE_COLOR are honoured; a file never gets colour."""
    from os import environ

    if target is not None or color == "never":
        return False
    if color == "always" or environ.get("FORCE_COLOR"):
        return True
    return not environ.get("NO_COLOR") and sys.stdout.isatty()


def _write(text: str, target: Path | None) -> None:
    if target is None:
        click.echo(text, nl=False, color=True)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(BadInput(f"cannot write {target}: {error.strerror}", remedy="Name a file in a folder that exists."))


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


def _fail(error: WebhookError) -> NoReturn:
    where = ""
    if isinstance(error, BadInput) and error.source:
        where = f"{error.source}:{error.line}: " if error.line else f"{error.source}: "
    click.echo(f"error: {where}{error.message}. {error.remedy}", err=True)
    sys.exit(EXIT_ERROR)


@cli.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Explain a rule: what KubeVirt does, since when, why, and what to write instead."""
    from webhook.report import explain as explaining

    found = explaining.find(rule)
    if found is None:
        close = explaining.closest(rule)
        hint = f" Did you mean {close}?" if close else ""
        _fail(BadInput(f"there is no rule {rule!r}", remedy=f"`migratable rules` lists them.{hint}"))
    click.echo(explaining.explain(found), nl=False)


@cli.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules(output: str) -> None:
    """List the rules."""
    from webhook.report import catalogue

    click.echo(catalogue.as_json() if output == "json" else catalogue.as_text(), nl=False)


@cli.command()
def version() -> None:
    """Print the version, and the KubeVirt releases that are known."""
    from webhook.kubevirt.releases import NEWEST, OLDEST_SUPPORTED

    click.echo(f"migratable {__version__} (KubeVirt {OLDEST_SUPPORTED} to {NEWEST})")


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, envvar="MIGRATABLE_HOST")
@click.option("--admission-port", default=9443, show_default=True, envvar="MIGRATABLE_ADMISSION_PORT")
@click.option("--api-port", default=8443, show_default=True, envvar="MIGRATABLE_API_PORT")
@click.option("--health-port", default=8080, show_default=True, envvar="MIGRATABLE_HEALTH_PORT")
@click.option("--cert-dir", type=click.Path(path_type=Path), default=Path("dev/certs"), envvar="MIGRATABLE_CERT_DIR")
@click.option(
    "--client-ca", type=click.Path(exists=True, path_type=Path), help="CA of the API server's client certificate."
)
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), envvar="MIGRATABLE_POLICY")
@click.option("--release", default="", help="KubeVirt release; else what the KubeVirt CR says, else any.")
@click.option("--facts", multiple=True, metavar="PATH", help="Work without a cluster: look references up in manifests.")
@click.option("--kubeconfig", type=click.Path(exists=True, path_type=Path), help="Cluster to read facts from.")
@click.option("--context", "context", default=None, help="Context of the kubeconfig.")
@click.option("--in-cluster", is_flag=True, help="Read facts from the cluster that the pod runs in.")
@click.option("--drain-seconds", default=10.0, show_default=True, help="How long to serve on after SIGTERM.")
def serve(**options: object) -> None:
    """Serve admission, health and metrics, dry-run API and page."""
    composition_root = import_module("webhook.serve")  # by name: a surface knows nothing of what composes it
    try:
        composition_root.run(composition_root.Options(**options))
    except WebhookError as error:
        _fail(error)


def main() -> None:
    """Entry point of the ``migratable`` script."""
    cli(prog_name="migratable")
