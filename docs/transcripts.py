"""
Runs the commands that pages show, so that a page shows only what the program prints.

A block that begins with ```` ```console ```` and `$ migratable` is a transcript: the command, and below it what it prints
on both streams. Everything else on a page is left alone.
"""

import os
import re
import shlex
from pathlib import Path

from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```console\n\$ migratable ([^\n]*)\n.*?^```$", re.MULTILINE | re.DOTALL)
_SETTING = {"COLUMNS": "100", "NO_COLOR": "1"}


def renewed(page: str) -> str:
    """The page with every transcript as it would be today."""
    return _BLOCK.sub(lambda block: _transcript(block[1]), page)


def _transcript(words: str) -> str:
    from webhook.__main__ import program  # noqa: PLC0415 - only for pages that have any

    here = Path.cwd()
    os.chdir(ROOT)
    try:
        printed = CliRunner().invoke(program(), shlex.split(words), prog_name="migratable", env=_SETTING).output
    finally:
        os.chdir(here)
    return f"```console\n$ migratable {words}\n{printed.rstrip()}\n```"
