"""Runs the command line as a user does, and returns its output and its exit status."""

import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from webhook.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"NO_COLOR": "1", "COLUMNS": "100", "FORCE_COLOR": None, "CI": None}
"""Variables of a run that asks for no colour (None: taken away)."""


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    status: int
    out: str
    err: str
    out_bytes: bytes = b""
    """stdout of ``migratable`` as it was written. In ``out`` each ``\\r\\n`` is a ``\\n``."""


class Program:
    """The whole program, from its entry point on, as ``CliRunner`` runs a command of click's."""

    name = "migratable"

    def main(self, args: Sequence[str], **_: object) -> None:
        """Runs it in this process, whose objects stay subject to garbage collection."""
        with patch.object(sys, "argv", [self.name, *args]):
            try:
                main()
            finally:
                gc.unfreeze()


def migratable(*arguments: str | Path, cwd: Path | None = None, stdin: str | bytes = "") -> Ran:
    """Runs ``migratable`` in a folder, in this process. Raises an error that a user would see as a traceback."""
    with contextlib.chdir(cwd or Path.cwd()):
        result = CliRunner(env=PLAIN).invoke(Program(), [*map(str, arguments)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)


def process(*arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Ran:
    """As ``migratable``, in a separate process. Slow."""
    settings = {key: value for key, value in os.environ.items() if PLAIN.get(key, "") is not None}
    settings |= {key: value for key, value in PLAIN.items() if value is not None}
    ran = subprocess.run(
        [sys.executable, "-m", "webhook", *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=settings | {"PYTHONPATH": str(ROOT)} | dict(env or {}),
        timeout=120,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
