"""Errors for commands that need packages of an extra, as defined in pyproject.toml."""

from typing import NoReturn

import click

from webhook.errors import Misconfigured
from webhook.surfaces.cli.main import COMMANDS
from webhook.surfaces.cli.status import fail

EXTRAS = {
    "audit": "cluster",
    "audit --watch": "server",
    "drain": "cluster",
    "explain": "cluster",
    "serve": "server",
    "snapshot": "cluster",
}
"""
The extra that each of these commands needs, or needs to read a running cluster. All other commands run without an extra.
"""
_OWN = ("webhook", "certs")


def missing_package(error: ModuleNotFoundError) -> str:
    """The package that is not installed, or an empty string if the missing module is a part of Migratable."""
    package = (error.name or "").partition(".")[0]
    return "" if package in _OWN else package


def fail_missing(command: str, package: str) -> NoReturn:
    """Names the extra to install, and exits with status 2."""
    extra = EXTRAS[command]
    fail(
        Misconfigured(
            f"`migratable {command}` needs Python packages that are not installed: {package} and others",
            remedy=f"Run `pip install 'kubevirt-migratable[{extra}]'`, or `pip install '.[{extra}]'` in a checkout.",
        )
    )


def placeholder(name: str, package: str) -> click.Command:
    """A command that accepts any arguments and fails, so that its name stays in ``--help`` and in completions."""

    def run(**_arguments: object) -> None:
        fail_missing(name, package)

    return click.Command(
        name,
        callback=run,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help=COMMANDS[name],
        add_help_option=False,
    )
