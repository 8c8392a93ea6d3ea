"""``migratable version``."""

import click

from webhook import __version__
from webhook.kubevirt.releases import NEWEST, OLDEST_SUPPORTED


@click.command("version")
def command() -> None:
    """Print the version and the supported KubeVirt releases."""
    click.echo(f"migratable {__version__} (KubeVirt {OLDEST_SUPPORTED} to {NEWEST})")
