"""The commands: their names and first lines of help, without importing them."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

import click

from webhook.surfaces.cli.main import COMMANDS, INTERRUPTED, interruptible, ready

_REGISTERED: dict[str, Callable[[], click.Command]] = {}


class Commands(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, without importing anything."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        load = _REGISTERED.get(cmd_name)
        command: click.Command = load() if load is not None else _own(cmd_name)
        ready()
        interruptible()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; for a word that is no command it says what was meant."""
        word = args[0]
        if word not in COMMANDS and not word.startswith("-"):
            ctx.fail(f"No such command {word!r}{_meant(word)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """As click does it, with a status of its own after Ctrl-C: click's is that of findings."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nstopped", err=True)
            sys.exit(INTERRUPTED)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in ``--help``, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _own(name: str) -> click.Command:
    """The command of this package that stands in the module of its name."""
    command: click.Command = import_module(f"webhook.surfaces.cli.{name.replace('-', '_')}").command
    return command


def _meant(word: str) -> str:
    from pathlib import Path

    from webhook.kubevirt.schema.spelling import close_matches

    if word.endswith((".yaml", ".yml", ".json")) or Path(word).exists():
        return f". Did you mean `check {word}`?"
    close = close_matches(word, COMMANDS)
    return f". Did you mean {close[0]!r}?" if close else f". Commands: {', '.join(COMMANDS)}."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Check whether KubeVirt can live-migrate a virtual machine (VM), before the VM runs."""


def register(commands: Mapping[str, Callable[[], click.Command]]) -> click.Group:
    """
    Adds commands of packages above this one, which the command line must not import. Returns the whole command line.

    Each name must be in ``COMMANDS``; each value imports its command.
    """
    _REGISTERED.update(commands)
    return cli
