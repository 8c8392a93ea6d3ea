"""``migratable explain``."""

import click

from webhook.errors import BadInput
from webhook.report import explain as explaining
from webhook.surfaces.cli.rule_parameter import RULE_NAME
from webhook.surfaces.cli.status import fail


@click.command("explain")
@click.argument("rule", type=RULE_NAME)
def command(rule: str) -> None:
    """Explain a rule: what KubeVirt does, since when, why, and what to write instead."""
    found = explaining.find(rule)
    if found is None:
        close = explaining.closest(rule)
        hint = f" Did you mean {close}?" if close else ""
        fail(BadInput(f"there is no rule {rule!r}", remedy=f"`migratable rules` lists them.{hint}"))
    click.echo(explaining.explain(found), nl=False)
