"""``migratable rules``."""

import click

from webhook.report import catalogue


@click.command("rules")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(output: str) -> None:
    """List the rules."""
    click.echo(catalogue.as_json() if output == "json" else catalogue.as_text(), nl=False)
