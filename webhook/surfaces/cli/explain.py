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
    """Explain a rule: what KubeVirt does, since when, why, and what to write instead."""
    found = explaining.find(rule)
    if found is None:
        fail(BadInput(f"there is no rule {rule!r}{hint(rule)}", remedy="`migratable rules` lists them."))
    click.echo(explaining.explain(found), nl=False)
