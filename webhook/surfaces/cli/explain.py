"""``migratable explain``."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from webhook.errors import BadInput, WebhookError
from webhook.report import explain as explaining
from webhook.report.catalogue import of_reason
from webhook.report.rule_names import hint
from webhook.surfaces.cli.connecting import CONTEXT, KUBECONFIG, TIMEOUT
from webhook.surfaces.cli.fleet_options import FACTS, LINK, RELEASE, SNAPSHOT
from webhook.surfaces.cli.rule_parameter import RULE_OR_VM, named_vm
from webhook.surfaces.cli.status import EXIT_ERROR, fail, write_stdout

if TYPE_CHECKING:
    from webhook.facts.fleet import Fleet


@click.command("explain")
@click.argument("rule", type=RULE_OR_VM, metavar="RULE|REASON|vm/NAME")
@click.argument("more", nargs=-1, metavar="[PATH]...")
@click.option("-n", "--namespace", default="", help="Namespace of the VM. Default: the only namespace with such a VM.")
@FACTS
@SNAPSHOT
@RELEASE
@LINK
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@KUBECONFIG
@CONTEXT
@TIMEOUT
@click.pass_context
def command(
    ctx: click.Context,
    rule: str,
    more: Sequence[str],
    namespace: str,
    facts: Sequence[str],
    snapshot: str | None,
    release: str,
    link: str,
    output: str,
    kubeconfig: Path | None,
    context: str | None,
    timeout: float,
) -> None:
    """
    Explain a rule, or a VM: its verdict, where it could move, and the effect of a drain.

    For the id or name of a rule, the output shows what KubeVirt does, in which releases, why, and how to fix it. For a reason
    of condition LiveMigratable, such as DisksNotLiveMigratable, the output lists the rules.

    For vm/NAME or vm/NAMESPACE/NAME, the output shows whether the VM can be live-migrated and all reasons against it, the
    eviction strategy and the MigrationPolicy in force, the nodes to which it could move, the time of a migration, and the
    effect of a drain. The options are only for VMs. The command reads a running cluster, a snapshot, or files with Kubernetes
    objects, and changes nothing.
    """
    vm = named_vm(rule)
    if vm is None:
        _refuse_options(ctx, more)
        _explain_rule(rule)
        return
    space, name = vm
    if space and namespace and space != namespace:
        raise click.UsageError(f"The namespaces differ: {rule} and -n {namespace}.")
    if more and not facts:
        raise click.UsageError(f"Got unexpected extra argument ({more[0]}). Files follow --facts.")
    paths = [*facts, *more, *([snapshot] if snapshot else [])]
    try:
        fleet, is_read = _fleet(name, paths, kubeconfig, context, timeout)
        from webhook.drain.explain_vm import explain

        explanation = explain(fleet, name, space or namespace, release, link)
        write_stdout(import_module(f"webhook.report.drain.vm_{output}").render(explanation))
    except WebhookError as error:
        fail(error)
    sys.exit(0 if is_read else EXIT_ERROR)


def _explain_rule(rule: str) -> None:
    known = explaining.find(rule)
    if known is None and (listed := of_reason(rule)):
        click.echo(listed, nl=False)
        return
    if known is None:
        fail(BadInput(f"unknown rule {rule!r}{hint(rule)}", remedy="Run `migratable rules` for the list."))
    click.echo(explaining.explain(known), nl=False)


def _refuse_options(ctx: click.Context, more: Sequence[str]) -> None:
    """Fails if the command line has an option that only VMs have."""
    if more:
        raise click.UsageError(f"Got unexpected extra argument ({more[0]})")
    for option in ctx.command.params:
        if (
            option.name
            and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
            and option.name != "rule"
        ):
            raise click.UsageError(f"{option.opts[-1]} is only for a VM: write vm/NAME instead of a rule.")


def _fleet(
    name: str, paths: Sequence[str], kubeconfig: Path | None, context: str | None, timeout: float
) -> "tuple[Fleet, bool]":
    """The objects, and whether all files could be read."""
    from webhook.surfaces.cli.fleets import fleet_of_cluster, fleet_of_files

    return fleet_of_files(paths) if paths else (fleet_of_cluster("explain", kubeconfig, context, timeout, name), True)
