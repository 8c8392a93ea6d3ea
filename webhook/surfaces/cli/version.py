"""``migratable version``."""

import click

from webhook import __version__
from webhook.kubevirt.releases import NEWEST, OLDEST_SUPPORTED


def text() -> str:
    """The version and the supported KubeVirt releases."""
    return f"migratable {__version__} (KubeVirt {OLDEST_SUPPORTED} to {NEWEST})"


@click.command("version")
def command() -> None:
    """Print the version and the supported KubeVirt releases."""
    click.echo(text())
