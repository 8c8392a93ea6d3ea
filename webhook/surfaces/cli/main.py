"""
The entry point of the command line: streams, signals, exit status, and the list of commands.

Findings go to stdout, everything else to stderr. Exit status: 0 no finding at or above ``--fail-on``; 1 findings; 2 usage
error, unreadable input or no answer from the cluster; 130 interrupted with Ctrl-C. Only the commands that need fastapi and
kubernetes import these packages.
"""

import gc
import os
import sys
from errno import EBADF, EDQUOT, EFBIG, EIO, ENOENT, ENOSPC, EPIPE
from io import FileIO, TextIOWrapper
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from types import FrameType

    from click import Group
else:
    import _signal as signal  # `signal` makes enumerations of these constants, which is 1 % of a check

COMMANDS = {
    "audit": "Judge the VMs and the migration settings of a running cluster.",
    "check": "Check whether the VMs in manifests can be live-migrated.",
    "completion": "Print a completion script for bash, zsh or fish.",
    "drain": "Rehearse the drain of nodes: which VMs move, block, stop or wait.",
    "explain": "Explain a rule, or a VM: its verdict, where it could move, and the effect of a drain.",
    "explain-settings": "Explain which migration settings apply to each VM, and why.",
    "policies": "Print ValidatingAdmissionPolicies for the rules that need only the object.",
    "rules": "List the rules.",
    "serve": "Run the server: admission webhook, health and metrics, dry-run API and page.",
    "snapshot": "Save the cluster objects that `check --snapshot` needs.",
    "version": "Print the version and the supported KubeVirt releases.",
}
"""
Each command, and the first line of its help. Each command is the object ``command`` in the module of the same name (``_``
for ``-``).
"""

UNWRITABLE = (EBADF, EDQUOT, EFBIG, EIO, ENOSPC, EPIPE)
"""Error numbers for a stream that cannot be written."""
INTERRUPTED = 130
"""The exit status after Ctrl-C, as the shell reports it for a program that SIGINT ends."""

_ASCII = ("ascii", "us-ascii", "ansi-x3.4-1968", "646")


def _prepare_streams() -> None:
    """
    Makes all three streams usable.

    A stream that the caller closed (``>&-``) is None in Python: /dev/null replaces it. A character that the encoding lacks
    is written as a backslash escape. UTF-8 replaces ASCII, because Python uses ASCII if the locale is missing. stdout has a
    buffer: with PYTHONUNBUFFERED, Python drops without an error the rest of a text of which only a part fits on the disk.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - until the program ends
    if isinstance(sys.stdout, TextIOWrapper) and isinstance(sys.stdout.buffer, FileIO):
        sys.stdout = open(1, "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115 - as above
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            is_ascii = stream.encoding.lower().replace("_", "-") in _ASCII
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors="backslashreplace")


def _exit_on_ctrl_c() -> None:
    """
    Lets SIGINT end the process directly during imports.

    KeyboardInterrupt in an import prints a traceback, and msgspec crashes if it is interrupted while it inspects types.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _set_handler(signal.SIG_DFL)


def begin_imports() -> None:
    """
    Stops garbage collection, because it would find nothing and take a tenth of the time of the imports. Lets Ctrl-C end the
    process.
    """
    gc.disable()
    _exit_on_ctrl_c()


def _import_msgspec() -> None:
    """
    Imports msgspec without typing_extensions and platform, which take an eighth of the time of the start.

    msgspec takes two names from typing_extensions, with its inspect, ast and tokenize, if it is installed, and otherwise from
    typing. From Python 3.11, msgspec needs no more than typing has. Up to Python 3.12, uuid imports platform only for
    ``platform.system()``.
    """
    replaced: dict[str, Any] = {
        "typing_extensions": None,  # the import fails as if it were not installed
        "platform": SimpleNamespace(system=lambda: os.uname().sysname),
    }
    replaced = {name: module for name, module in replaced.items() if name not in sys.modules}
    sys.modules.update(replaced)
    try:
        import msgspec  # noqa: F401
    finally:
        for name in replaced:
            del sys.modules[name]


def _set_handler(handler: "Callable[[int, FrameType | None], object] | signal.Handlers") -> None:
    try:  # noqa: SIM105 - contextlib is one more import
        signal.signal(signal.SIGINT, handler)
    except ValueError:  # this is not the main thread
        pass


def interruptible() -> None:
    """Makes Ctrl-C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        _set_handler(signal.default_int_handler)


def finish_imports() -> None:
    """Starts garbage collection. It excludes all objects that exist now, because imported modules are never garbage."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def main(program: "Callable[[], Group]", *, ends_at_once: bool = False) -> None:
    """
    Runs the command line. ``program`` imports click; a plain ``check`` does not need click.

    With ``ends_at_once``, a plain ``check`` ends with ``os._exit``. Freeing all objects takes 2.5 ms of 50 for one file.
    """
    begin_imports()
    try:
        _prepare_streams()
        from webhook.surfaces.cli.options import read_plain

        options = read_plain(sys.argv[1:])
        if options is not None:
            _check(options, ends_at_once=ends_at_once)
        from webhook.surfaces.cli import program_name

        program()(prog_name=program_name.title(), complete_var=program_name.variable())
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno == ENOENT and error.filename is None:  # os.getcwd is the only call without a name
            sys.stderr.write("error: the current folder was removed. Change to a folder that exists.\n")
            sys.exit(2)
        if error.filename is not None or error.errno not in UNWRITABLE:  # the error is not about a stream
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes its buffer here at exit
        if error.errno == EPIPE:  # the reader closed the pipe
            sys.exit(1)
        remedy = "Free disk space, or write to another place."
        sys.stderr.write(f"error: cannot write to standard output: {error.strerror}. {remedy}\n")
        sys.exit(2)
    finally:
        interruptible()


def _check(options: "Mapping[str, Any]", *, ends_at_once: bool) -> NoReturn:
    """Runs ``check`` without click. click is imported only to print a usage error."""
    _import_msgspec()
    from webhook.surfaces.cli.run_check import run
    from webhook.surfaces.cli.status import UsageMistake

    finish_imports()
    try:
        run(options)
    except UsageMistake as error:
        from webhook.surfaces.cli.check import fail_usage

        fail_usage(str(error))
    except SystemExit as end:
        if not ends_at_once or not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)
