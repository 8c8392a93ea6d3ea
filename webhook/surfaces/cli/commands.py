"""The click group of all commands. A command is imported only if it is used."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

import click

from webhook.surfaces.cli.main import COMMANDS, INTERRUPTED, finish_imports, interruptible

_REGISTERED: dict[str, Callable[[], click.Command]] = {}


class Commands(click.Group):
    """Imports the module of a command only if the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, without importing them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command with that name."""
        if cmd_name not in COMMANDS:
            return None
        load = _REGISTERED.get(cmd_name)
        try:
            command = load() if load is not None else _own(cmd_name)
        except ModuleNotFoundError as error:
            command = _placeholder(cmd_name, error)
        finish_imports()
        interruptible()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command as click does, but suggests a similar name for an unknown command."""
        word = args[0]
        if word not in COMMANDS and not word.startswith("-"):
            ctx.fail(f"No such command {word!r}{_suggestion(word)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """
        Runs the command as click does, but Ctrl-C gives status 130. click gives 1, which means findings in this program.
        """
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
    """The command in the module of this package with the same name."""
    command: click.Command = import_module(f"webhook.surfaces.cli.{name.replace('-', '_')}").command
    return command


def _placeholder(name: str, error: ModuleNotFoundError) -> click.Command:
    """Returns a placeholder for a command whose extra is not installed. Raises ``error`` again if it has another cause."""
    from webhook.surfaces.cli.extras import EXTRAS, missing_package, placeholder

    package = missing_package(error)
    if name not in EXTRAS or not package:
        raise error
    return placeholder(name, package)


def _suggestion(word: str) -> str:
    from pathlib import Path

    from webhook.kubevirt.schema.spelling import close_matches

    if word.endswith((".yaml", ".yml", ".json")) or Path(word).exists():
        return f". Did you mean `check {word}`?"
    matches = close_matches(word, COMMANDS)
    return f". Did you mean {matches[0]!r}?" if matches else f". Commands: {', '.join(COMMANDS)}."


def _print_version(context: click.Context, _parameter: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        from webhook.surfaces.cli.version import text

        click.echo(text())
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def cli() -> None:
    """Check whether KubeVirt can live-migrate a virtual machine (VM), before the VM runs."""


def register(commands: Mapping[str, Callable[[], click.Command]]) -> click.Group:
    """
    Adds the commands of other packages, which this package must not import. Returns the group.

    Each name is in ``COMMANDS``. Each value imports and returns its command.
    """
    _REGISTERED.update(commands)
    return cli
