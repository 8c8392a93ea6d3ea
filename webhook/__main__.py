"""``migratable`` and ``python -m webhook``: the command line, and the commands that ``surfaces.cli`` must not import."""

from typing import TYPE_CHECKING

from webhook.surfaces.cli.main import main as run

if TYPE_CHECKING:
    from click import Command, Group


def _serve() -> "Command":
    from webhook.serve.command import command  # noqa: PLC0415 - `check` must not import the server

    return command


def _policies() -> "Command":
    from webhook.surfaces.backstop.command import command  # noqa: PLC0415 - only this command needs it

    return command


def program() -> "Group":
    """The click group with all commands."""
    from webhook.surfaces.cli.commands import register  # noqa: PLC0415 - `check` starts without click

    return register({"policies": _policies, "serve": _serve})


def main() -> None:
    """Entry point of the ``migratable`` script."""
    run(program)


if __name__ == "__main__":
    main()
