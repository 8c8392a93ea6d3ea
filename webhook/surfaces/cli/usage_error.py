"""Says that a command line cannot be obeyed, as click says it of those that it reads itself."""

import sys
from typing import NoReturn

import click

from webhook.surfaces.cli.check import command
from webhook.surfaces.cli.commands import cli
from webhook.surfaces.cli.program_name import title


def tell_usage(message: str) -> NoReturn:
    """Says on stderr how ``check`` is used and what is wrong, and ends with status 2."""
    around = click.Context(cli, info_name=title(), **cli.context_settings)
    error = click.UsageError(message, click.Context(command, around, info_name="check"))
    error.show()
    sys.exit(error.exit_code)
