"""``migratable explain-settings``."""

import sys
from collections.abc import Sequence

import click

from webhook.check.explain_settings import Request, explain_settings
from webhook.errors import WebhookError
from webhook.manifests.files import read_all
from webhook.manifests.sources import Sources
from webhook.report import settings_model, settings_text
from webhook.report.building import problem_report
from webhook.surfaces.cli.status import EXIT_ERROR, fail, write_problems


@click.command("explain-settings")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...")
@click.option("-f", "--filename", "files", multiple=True, metavar="PATH", help="Same as PATH, as in kubectl.")
@click.option("-R", "--recursive", is_flag=True, help="Read subfolders too (the default).")
@click.option("--no-recursive", is_flag=True, help="Read only the files in a folder itself.")
@click.option(
    "--facts",
    multiple=True,
    metavar="PATH",
    help="Manifests that are only used for references; their VMs are not explained.",
)
@click.option(
    "--vm", "vms", multiple=True, metavar="[NAMESPACE/]NAME", help="Explain only this VM. Repeatable. Default: all VMs."
)
@click.option("--release", default="", metavar="1.x", help="KubeVirt release. Default: the release in the KubeVirt CR.")
@click.option(
    "--link",
    default="",
    metavar="QUANTITY",
    help="Bandwidth of a node's migration link in bytes per second, such as 1250M for 10 Gbit/s. Migrations share it.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    paths: Sequence[str],
    files: Sequence[str],
    recursive: bool,
    no_recursive: bool,
    facts: Sequence[str],
    vms: Sequence[str],
    release: str,
    link: str,
    output: str,
) -> None:
    """
    Explain which migration settings apply to each VM, and why.

    Pass the KubeVirt CR, MigrationPolicies, namespaces, instancetypes and VMs. The output shows how long a migration may take,
    how long it takes in the best case, and how much memory can be copied in time. If a VM has more memory, the output contains
    a warning.
    """
    all_paths = [*paths, *files]
    if not all_paths:
        raise click.UsageError("Name files or folders, or - for standard input.")
    sources = Sources()
    try:
        inputs = read_all(all_paths, recursive=not no_recursive, sources=sources)
        references = read_all(facts, recursive=True, sources=sources)
        background = [manifest for file in references for manifest in file.objects]
        report = explain_settings(inputs, background, Request(release, tuple(vms), link))
    except WebhookError as error:
        fail(error)
    renderer = settings_model if output == "json" else settings_text
    click.echo(renderer.render(report), nl=False)
    problems = [problem for manifests in (*inputs, *references) for problem in manifests.problems]
    write_problems(map(problem_report, problems))
    if problems:
        sys.exit(EXIT_ERROR)
