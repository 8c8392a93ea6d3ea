"""The commands in docs/ci.md print the output that the page shows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import fleet
from tests.docs.blocks import blocks, matches, steps
from tests.surfaces.running import ROOT

BLOCKS = blocks("docs/ci.md", "console")


def walk() -> Iterator[tuple[str, str]]:
    """Each command of the page with its output. The configuration file comes first."""
    for block in blocks("docs/ci.md", "console", "yaml"):
        if block.language == "console":
            yield from steps(block)
        elif block.text.startswith("release:"):
            yield f"cat > migratable.yaml <<'EOT'\n{block.text}EOT", ""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "migratable"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    program.chmod(0o755)
    fleet.write(tmp_path / "fleet")
    (tmp_path / "fleet" / ".git").mkdir()
    return tmp_path / "fleet"


def test_the_commands_of_the_page_print_its_output(repository: Path) -> None:
    """
    Every command of the walk through 300 manifests prints what the page shows, up to what it says it leaves out.
    """
    env = {
        "PATH": f"{repository.parent / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    status = 0
    told = 0

    for command, expected in walk():
        if command == "echo $?":
            assert f"{status}\n" == expected
            continue
        ran = subprocess.run(
            ["bash", "-c", f"exec 2> ../err\n{command}"],
            cwd=repository,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        status = ran.returncode
        printed = ran.stdout + (repository.parent / "err").read_text()
        assert matches(printed, expected), f"$ {command}\n{printed[-3000:]}"
        told += 1

    assert told == 11
