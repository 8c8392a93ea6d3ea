"""
The command line: one file a command, imported when it is asked for.

Findings go to stdout, all else to stderr. Exit status: 0 nothing at or above ``--fail-on``, 1 findings, 2 usage,
unreadable input or no answer from the cluster, 130 stopped with Ctrl-C. Neither fastapi nor kubernetes is imported until a
command needs it.
"""

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webhook.surfaces.cli.commands import cli
    from webhook.surfaces.cli.status import exit_status

__all__ = ["COMMANDS", "cli", "exit_status", "main"]

COMMANDS = {
    "check": "Check manifests: files, folders, or - for standard input.",
    "completion": "Print what makes a shell complete commands, options and rules.",
    "explain": "Explain a rule: what KubeVirt does, since when, why, and what to write instead.",
    "explain-settings": "Explain which migration settings win for each VM, and why.",
    "rules": "List the rules.",
    "serve": "Serve admission, health and metrics, dry-run API and page.",
    "snapshot": "Record what `check` needs to know of a cluster, for `check --snapshot` without one.",
    "version": "Print the version, and the KubeVirt releases that are known.",
}
"""A command stands in the module of its name (``-`` is ``_``) as ``command``; the text is the first line of its help."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a program that the signal ended: it is no finding."""

_HOMES = {"cli": "commands", "exit_status": "status"}


def __getattr__(name: str) -> object:
    """What stands in a module of its own is imported when somebody asks for it here."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def _open_closed_streams() -> None:
    """A stream that the caller has closed (``>&-``) is None in Python; reading finds nothing then, and writing goes nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - until the program ends


def _spare_typing_extensions() -> None:
    """
    Imports msgspec without ``typing_extensions``.

    Where others have installed it msgspec takes two names from there that are in ``typing``, for 2 ms of every run.
    """
    if "typing_extensions" in sys.modules or "msgspec" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # what stands for "there is none"
    try:
        import_module("msgspec")
    finally:
        del sys.modules["typing_extensions"]


def main() -> None:
    """
    Entry point of the ``migratable`` script.

    Nothing is collected while modules are imported: of that nothing is garbage, and looking would take a tenth of the time.
    """
    gc.disable()
    try:
        _open_closed_streams()
        _spare_typing_extensions()
        naming = import_module(f"{__name__}.naming")
        import_module(f"{__name__}.commands").cli(prog_name=naming.title(), complete_var=naming.variable())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is not None:  # not about a stream
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where Python writes at its end what it could not write before
        remedy = "Free space, or write elsewhere."
        sys.stderr.write(f"error: standard output cannot be written: {error.strerror}. {remedy}\n")
        sys.exit(2)
