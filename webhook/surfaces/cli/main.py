"""
The command line: one file a command, imported when it is asked for.

Findings go to stdout, all else to stderr. Exit status: 0 nothing at or above ``--fail-on``, 1 findings, 2 usage,
unreadable input or no answer from the cluster, 130 stopped with Ctrl-C. Neither fastapi nor kubernetes is imported until a
command needs it.
"""

import gc
import os
import signal
import sys
from contextlib import suppress
from errno import EBADF, EIO, ENOSPC, EPIPE
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from click import Group


COMMANDS = {
    "check": "Check whether the VMs in manifests can be live-migrated.",
    "completion": "Print a completion script for bash, zsh or fish.",
    "explain": "Explain a rule: what KubeVirt does, in which releases, why, and how to fix it.",
    "explain-settings": "Explain which migration settings apply to each VM, and why.",
    "policies": "Print ValidatingAdmissionPolicies for the rules that need only the object.",
    "rules": "List the rules.",
    "serve": "Serve admission, health and metrics, dry-run API and page.",
    "snapshot": "Save the cluster objects that `check --snapshot` needs.",
    "version": "Print the version and the supported KubeVirt releases.",
}
"""A command stands in the module of its name (``-`` is ``_``) as ``command``; the text is the first line of its help."""

UNWRITABLE = (EBADF, EIO, ENOSPC, EPIPE)
"""What a stream says that takes no more."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a program that the signal ended: it is no finding."""

_ASCII = ("ascii", "us-ascii", "ansi-x3.4-1968", "646")


def _mend_streams() -> None:
    """
    A stream that the caller has closed (``>&-``) is None in Python; reading finds nothing then, and writing goes nowhere.

    What the encoding of standard output has no character for is written as Python writes it in its sources; where that is
    ASCII, it is nobody's choice, and UTF-8 is written.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - until the program ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_ascii = stream.encoding.lower().replace("_", "-") in _ASCII
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="backslashreplace")


def _end_at_ctrl_c() -> None:
    """
    Until there is something to tidy up, Ctrl-C ends the program at once, as it ends others.

    Python's own way leaves a traceback from within an import, and msgspec crashes if it is interrupted while it looks at types.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with suppress(ValueError):  # in another thread than the main one
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def interruptible() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.default_int_handler)


def ready() -> None:
    """All that a command needs is imported: what there is now is never garbage, and from now on it is looked for."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def main(program: "Callable[[], Group]") -> None:
    """
    Runs the command line. ``program`` imports all commands; a plain ``check`` does without it.

    Nothing is collected while modules are imported: of that nothing is garbage, and looking would take a tenth of the time.
    """
    gc.disable()
    _end_at_ctrl_c()
    try:
        _mend_streams()
        from webhook.surfaces.cli.options import plain

        options = plain(sys.argv[1:])
        if options is not None:
            _check(options)
        from webhook.surfaces.cli import program_name

        program()(prog_name=program_name.title(), complete_var=program_name.variable())
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITABLE:  # not about a stream
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where Python writes at its end what it could not write before
        if error.errno == EPIPE:  # whoever read it has seen enough
            sys.exit(1)
        remedy = "Free disk space, or write to another place."
        sys.stderr.write(f"error: cannot write to standard output: {error.strerror}. {remedy}\n")
        sys.exit(2)
    finally:
        interruptible()


def _check(given: "Mapping[str, Any]") -> NoReturn:
    """A check without click, but for the words in which it tells who misused it."""
    from webhook.surfaces.cli.run_check import run
    from webhook.surfaces.cli.status import Misused

    ready()
    try:
        run(given)
    except Misused as error:
        from webhook.surfaces.cli.usage_error import tell_usage

        tell_usage(str(error))
