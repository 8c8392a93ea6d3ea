"""``migratable`` and ``python -m webhook``: the command line, and the commands that ``surfaces.cli`` must not import."""

from typing import TYPE_CHECKING

from webhook.surfaces.cli.main import main as run

if TYPE_CHECKING:
    from click import Command, Group

    from webhook.audit.watching.options import WatchOptions


def _audit() -> "Command":
    from webhook.surfaces.cli.audit import command  # noqa: PLC0415 - only this command needs it
    from webhook.surfaces.cli.audit_watch import register_watch  # noqa: PLC0415

    register_watch(_watch)
    return command


def _watch(options: "WatchOptions") -> None:
    from webhook.monitor.run import run as watch  # noqa: PLC0415 - an audit without --watch must not import the server

    watch(options)


def _serve() -> "Command":
    from webhook.serve.command import command  # noqa: PLC0415 - `check` must not import the server

    return command


def _policies() -> "Command":
    from webhook.surfaces.backstop.command import command  # noqa: PLC0415 - only this command needs it

    return command


def program() -> "Group":
    """The click group with all commands."""
    from webhook.surfaces.cli.commands import register  # noqa: PLC0415 - `check` starts without click

    return register({"audit": _audit, "policies": _policies, "serve": _serve})


def main() -> None:
    """Runs the command line, for callers that continue afterwards. Raises SystemExit."""
    run(program)


def script() -> None:
    """Entry point of the ``migratable`` script. A plain ``check`` ends with ``os._exit``, so ``atexit`` functions do not run."""
    run(program, ends_at_once=True)


def complete() -> None:
    """
    Entry point of ``kubectl_complete-migratable``, which kubectl runs to complete ``kubectl migratable``.

    Prints each word, a tab and its help, and the directive of cobra: 0 to complete files, 4 not to.
    """
    import sys  # noqa: PLC0415 - `check` starts without click

    from click.shell_completion import ShellComplete  # noqa: PLC0415

    *words, incomplete = sys.argv[1:] or [""]
    items = ShellComplete(program(), {}, "kubectl-migratable", "").get_completions(words, incomplete)
    offered = [item for item in items if item.type == "plain"]
    lines = [f"{item.value}\t{item.help}" if item.help else item.value for item in offered]
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, ":4" if len(offered) == len(items) else ":0"]))


if __name__ == "__main__":
    script()
