"""``migratable drain``."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click
from msgspec.structs import replace

from webhook.drain.plan import Detail, DrainReport, Machine, Outcome
from webhook.drain.rehearsal import Request, rehearse
from webhook.drain.upgrade import RARE
from webhook.errors import WebhookError
from webhook.surfaces.cli.connecting import CONTEXT, KUBECONFIG, TIMEOUT, cluster_name
from webhook.surfaces.cli.fleet_options import FACTS, LINK, RELEASE, SNAPSHOT
from webhook.surfaces.cli.fleets import fleet_of_cluster, fleet_of_files
from webhook.surfaces.cli.status import EXIT_ERROR, EXIT_FINDINGS, fail, write_stdout

FORMATS = ("text", "json", "markdown", "html")
_FOR_PEOPLE = ("markdown", "html")
_ENDS_WELL = frozenset((Detail.RESTARTS, None))


@click.command("drain")
@click.argument("nodes", nargs=-1, metavar="[NODE]...")
@click.option("--all", "every", is_flag=True, help="Rehearse the drain of each node alone, from the present state.")
@click.option(
    "--rolling",
    is_flag=True,
    help="Rehearse the drain of node after node, from the state that each step leaves: of all nodes, or of each NODE in turn.",
)
@click.option(
    "--max-unavailable",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="With --rolling: number of nodes that are drained at the same time.",
)
@click.option(
    "--upgrade",
    is_flag=True,
    help="List the VMs that an upgrade of KubeVirt leaves behind. Without nodes, --all and --rolling, rehearse no drain.",
)
@FACTS
@SNAPSHOT
@RELEASE
@LINK
@click.option("-o", "--output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(["blocks", "stops", "never"]),
    default="blocks",
    show_default=True,
    help="Exit with 1 if a VM blocks the drain, waits or stays down (blocks), or also if a VM stops (stops).",
)
@KUBECONFIG
@CONTEXT
@TIMEOUT
def command(
    nodes: Sequence[str],
    every: bool,
    rolling: bool,
    max_unavailable: int,
    upgrade: bool,
    facts: Sequence[str],
    snapshot: str | None,
    release: str,
    link: str,
    output: str,
    fail_on: str,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
) -> None:
    """
    Rehearse the drain of nodes: which VMs move, block, stop or wait, and how long it takes.

    Reads a running cluster, a snapshot, or files with Kubernetes objects, and changes nothing. Several NODEs are drained at
    the same time, or one after the other with --rolling. Exit status: 0 if all VMs move or restart, 1 if a VM blocks, waits or
    stays down, 2 if this is not known. With --upgrade alone, 1 if an upgrade leaves a VM behind.
    """
    if facts:  # as in `--facts a.yaml b.yaml`
        files = [name for name in nodes if _is_path(name)]
        facts, nodes = [*facts, *files], [name for name in nodes if name not in files]
    if not nodes and not every and not rolling and not upgrade:
        raise click.UsageError("Name one or more nodes, or write --all, --rolling or --upgrade.")
    if nodes and every:
        raise click.UsageError("Write either nodes or --all.")
    if upgrade and not nodes and not every and not rolling:
        mode = "upgrade"
    else:
        mode = "rolling" if rolling else "each" if every else "together"
    paths = [*facts, *([snapshot] if snapshot else [])]
    try:
        fleet, is_read = (
            fleet_of_files(paths) if paths else (fleet_of_cluster("drain", kubeconfig, context, timeout), True)
        )
        report = rehearse(fleet, Request(tuple(nodes), mode, max_unavailable, upgrade, release, link))
        if output in _FOR_PEOPLE:  # the JSON of equal objects is equal, whatever their source
            report = replace(report, source=_files(paths) or _now(cluster_name("drain", kubeconfig, context)))
        renderer = import_module(f"webhook.report.drain.drain_{output}")
        write_stdout(renderer.render(report))
    except WebhookError as error:
        fail(error)
    sys.exit(status_of(report, fail_on) if is_read else EXIT_ERROR)


def status_of(report: DrainReport, fail_on: str) -> int:
    """
    The exit status: 0 if all VMs move or restart, 1 if a VM blocks, waits or stays down, 2 if this is not known.

    Without a drain: 0 if an upgrade leaves no VM behind, 1 if it leaves a VM behind, 2 if this is not known.
    """
    machines = [machine for node in report.nodes for machine in node.machines]
    is_failing = any(_fails(machine, fail_on) for machine in machines)
    is_unknown = Outcome.UNKNOWN in {*(one.outcome for one in machines), *(one.outcome for one in report.nodes)}
    if report.mode == "upgrade":
        is_failing = any(one.problem != RARE for one in report.upgrade)
        is_unknown = bool(report.missing)
    if fail_on != "never" and is_failing:
        return EXIT_FINDINGS
    return EXIT_ERROR if is_unknown else 0


def _files(paths: Sequence[str]) -> str:
    return ", ".join("standard input" if path == "-" else path for path in paths)


def _now(cluster: str) -> str:
    """A cluster with the present time, because a rehearsal is true for the state that it has read."""
    return f"{cluster}, read at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _is_path(name: str) -> bool:
    """Whether an argument is an existing path. A folder can have the name of a node, and no node has a slash in its name."""
    return Path(name).exists() and ("/" in name or Path(name).is_file())


def _fails(machine: Machine, fail_on: str) -> bool:
    if machine.outcome is Outcome.STOPS:
        return fail_on == "stops" or machine.detail not in _ENDS_WELL
    return machine.outcome in {Outcome.BLOCKS, Outcome.WAITS}
