"""``migratable completion``."""

import click
from click.shell_completion import get_completion_class

from webhook.surfaces.cli.commands import cli
from webhook.surfaces.cli.program_name import program, variable


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """
    Print a completion script for bash, zsh or fish.

    bash: add `source <(migratable completion bash)` to ~/.bashrc. zsh: add `source <(migratable completion zsh)` to
    ~/.zshrc. fish: run `migratable completion fish > ~/.config/fish/completions/migratable.fish`.
    """
    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 - click supports these three shells
    click.echo(completion(cli, {}, program(), variable()).source())
