"""
Runs `migratable` once for each line of a file, with the Python of any checkout: `python -P forked.py JOBS RESULTS`.

A job is a JSON array of arguments; its result is a JSON object with the exit status, standard output and standard error. Each
job gets a process of its own, forked from one that has imported all modules: that takes a tenth of the time of a new process.
This file uses nothing of this project but the installed script, so that it runs in checkouts of any age.
"""

import gc
import importlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

IMPORTING = 20
"""From so many jobs the modules are learnt that every job needs."""


def main(jobs: str, results: str) -> None:
    [script] = {entry.value: entry for entry in entry_points(group="console_scripts", name="migratable")}.values()
    program = script.load()
    with Path(jobs).open(encoding="utf-8") as lines, Path(results).open("w", encoding="utf-8") as out:
        for number, line in enumerate(lines):
            argv = json.loads(line)
            if number < IMPORTING:
                for name in json.loads(_run(program, argv, with_modules=True)["modules"]):
                    with suppress(ImportError):
                        importlib.import_module(name)
            out.write(json.dumps(_run(program, argv)) + "\n")


def _run(program: Any, argv: list[str], *, with_modules: bool = False) -> dict[str, Any]:
    gc.freeze()  # a collection in the child would copy the pages of all that is imported
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as modules:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            leave = os._exit
            if with_modules:
                os._exit = _catchable_exit(os.getpid(), leave)
            status = _status(program, argv)
            if with_modules:
                modules.write(json.dumps([name for name in sys.modules if not name.startswith("__")]).encode())
                modules.flush()
            leave(status)
        _, ended = os.waitpid(child, 0)
        texts = {"out": out, "err": err, "modules": modules} if with_modules else {"out": out, "err": err}
        for file in texts.values():
            file.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(ended),
            **{name: file.read().decode(errors="backslashreplace") for name, file in texts.items()},
        }


def _catchable_exit(process: int, leave: Any) -> Any:
    """An ``os._exit`` that raises SystemExit in ``process``, so that its modules can be read. Its children end at once."""

    def end(status: int) -> None:
        if os.getpid() != process:
            leave(status)
        raise SystemExit(status)

    return end


def _status(program: Any, argv: list[str]) -> int:
    """The exit status as the interpreter itself makes it."""
    sys.argv = ["migratable", *argv]
    status: Any = 0
    try:
        status = program()
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        status = 1
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return int(status) if status else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
