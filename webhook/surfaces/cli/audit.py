"""``migratable audit``."""

from pathlib import Path
from typing import Any

import click

from webhook.report.grouping import GROUPINGS
from webhook.surfaces.cli.audit_outputs import AUDIT_FORMATS
from webhook.surfaces.cli.audit_reports import REPORTS, WRITES_PER_SECOND
from webhook.surfaces.cli.audit_watch import OF_WATCH, refuse_idle_options, watch_cluster, watch_options
from webhook.surfaces.cli.connecting import CONTEXT, KUBECONFIG
from webhook.surfaces.cli.options import FAIL_ON
from webhook.surfaces.cli.rule_parameter import Suggested
from webhook.surfaces.cli.run_audit import AuditOptions, run
from webhook.surfaces.cli.status import UsageMistake


@click.command("audit")
@click.option(
    "-n", "--namespace", "namespaces", multiple=True, help="Audit only this namespace. Repeatable. Default: all."
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Audit all namespaces (the default).")
@click.option(
    "--shard",
    default="1/1",
    show_default=True,
    metavar="I/N",
    help="Audit part I of N of the namespaces. In a pod of an Indexed Job, auto/N.",
)
@click.option(
    "--merge",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE...",
    help="Merge the JSON reports of all shards, instead of reading a cluster.",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False), help="Policy file.")
@click.option("--profile", type=click.Choice(["strict", "exact"]), help="Profile: strict (default) or exact.")
@click.option("--release", metavar="any|1.x", help="KubeVirt release. Default: the release in the KubeVirt CR.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=Suggested(lambda: AUDIT_FORMATS),
    metavar="FORMAT[=FILE]",
    help=f"Output format: {', '.join(AUDIT_FORMATS)}. Repeatable.",
)
@click.option(
    "--group-by", type=click.Choice(GROUPINGS), help="Groups of the formats summary and markdown. [default: reason]"
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with known findings (-o baseline), which do not fail the audit.",
)
@click.option("--since-baseline", is_flag=True, help="Show only findings that are not in the baseline.")
@click.option("--owner", help="Owner of the exemptions of -o exemptions.")
@click.option("--until", metavar="YYYY-MM-DD", help="Last day of the exemptions of -o exemptions.")
@click.option("--reason", help="Reason of the exemptions of -o exemptions.")
@click.option(
    "--fail-on", type=click.Choice(FAIL_ON), default="deny", show_default=True, help="Findings that give exit status 1."
)
@click.option("--strict", is_flag=True, help="Also exit with 1 for unproven results.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Print only findings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also show objects without findings.")
@watch_options
@REPORTS
@WRITES_PER_SECOND
@KUBECONFIG
@CONTEXT
@click.option(
    "--timeout", default=600.0, show_default=True, metavar="SECONDS", help="Time limit for all reads together."
)
def command(watch: bool, **options: Any) -> None:  # noqa: ANN401 - the options
    """
    Judge the VMs and the migration settings of a running cluster.

    Reads the cluster, and changes nothing but the reports of --reports. Exit status: 0 if there is no finding at or above
    --fail-on, 1 if there is one, 2 if the cluster or some of its VMs cannot be read, or a report cannot be written.
    """
    listening = {name: options.pop(name) for name in OF_WATCH}
    try:
        refuse_idle_options(watch=watch)
        if watch:
            watch_cluster(AuditOptions(**options), listening)
        run(AuditOptions(**options))
    except UsageMistake as error:
        raise click.UsageError(str(error)) from None
