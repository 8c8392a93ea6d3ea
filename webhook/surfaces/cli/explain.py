"""``migratable explain``."""

import click

from webhook.errors import BadInput
from webhook.report import explain as explaining
from webhook.report.rule_names import hint
from webhook.surfaces.cli.rule_parameter import RULE_NAME
from webhook.surfaces.cli.status import fail


@click.command("explain")
@click.argument("rule", type=RULE_NAME)
def command(rule: str) -> None:
    """Explain a rule: what KubeVirt does, in which releases, why, and how to fix it."""
    known = explaining.find(rule)
    if known is None:
        fail(BadInput(f"unknown rule {rule!r}{hint(rule)}", remedy="Run `migratable rules` for the list."))
    click.echo(explaining.explain(known), nl=False)
