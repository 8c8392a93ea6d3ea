"""`make run` on computers where something is missing: Python, its modules, the network, or the end of an installation."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.running import ROOT
from tests.waiting import wait_until
from tools.environment import UNFINISHED, defect

COPIED = ("Makefile", "tools/environment.py", "requirements/server.txt", "requirements/build.txt")
OLD = "import sys; sys.version_info = (3, 10, 13, 'final', 0)"
NO_ENSUREPIP = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(lambda cls, name, *rest: None if name == "ensurepip" else find(name, *rest))
"""
BROKEN_VENV = "import pathlib, sys; pathlib.Path(sys.argv[-1]).mkdir(); sys.exit('No space left on device')"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the files that `make run` needs to install packages."""
    folder = tmp_path / "clone"
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(clone: Path, *words: str, **variables: str) -> tuple[int, list[str]]:
    """Runs `make run`. Returns the status, and the lines of stderr that are not make's own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "PIP_", "PYTHON"))}
    done = subprocess.run(
        ["make", "run", *words],
        cwd=clone,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, [line for line in done.stderr.splitlines() if not line.startswith("make")]


def stand_in(clone: Path, site: str = "", venv: str = "") -> str:
    """A Python that runs ``site`` when it starts, and ``venv`` as its module of that name."""
    modules = clone.parent / "modules"
    (modules / "venv").mkdir(parents=True)
    (modules / "sitecustomize.py").write_text(site)
    if venv:
        (modules / "venv" / "__init__.py").touch()
        (modules / "venv" / "__main__.py").write_text(venv)
    else:
        (modules / "venv").rmdir()
    python = clone.parent / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={modules} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return f"PYTHON={python}"


def test_an_old_python_gives_one_line(clone: Path) -> None:
    """
    It names the version, the version that is needed, and how to name another Python.
    """
    status, (line,) = make(clone, stand_in(clone, OLD))

    assert status == 2
    assert "is Python 3.10. Install Python 3.11 or newer, or name one: make run PYTHON=" in line


def test_a_missing_python_gives_one_line(clone: Path) -> None:
    """
    The same remedy.
    """
    status, (line,) = make(clone, "PYTHON=python3.99")

    assert status == 2
    assert line.startswith("error: python3.99 is not installed. Install Python 3.11 or newer")


def test_a_python_without_ensurepip_gives_one_line_with_the_package_of_debian(clone: Path) -> None:
    """
    On each run, because no half environment is left.
    """
    python = stand_in(clone, NO_ENSUREPIP)
    for _ in range(2):
        status, (line,) = make(clone, python)

        assert status == 2
        assert "its module ensurepip is not installed" in line
        assert f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv" in line
    assert not (clone / ".venv").exists()


def test_a_failed_venv_leaves_no_environment(clone: Path) -> None:
    """
    Its output and a remedy are shown.
    """
    status, lines = make(clone, stand_in(clone, venv=BROKEN_VENV))

    assert status == 2
    assert lines[1] == "No space left on device"
    assert "failed with status 1. Its output is above." in lines[2]
    assert not (clone / ".venv").exists()


def environment(folder: Path, made_in: Path) -> Path:
    """A folder that looks like an environment with pip."""
    record = folder / ".venv" / "lib" / "python3.11" / "site-packages" / "pip-23.2.1.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.touch()
    (folder / ".venv" / "pyvenv.cfg").write_text(
        f"version = 3.11\ncommand = /usr/bin/python3 -m venv {made_in}/.venv\n"
    )
    return folder / ".venv"


def test_a_complete_environment_is_used_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    """
    The reasons: another folder, no pip, no settings, an installation that did not end.
    """
    complete = environment(tmp_path / "a", tmp_path / "a")
    moved = environment(tmp_path / "b", tmp_path / "a")
    without_pip = environment(tmp_path / "c", tmp_path / "c")
    next(without_pip.rglob("RECORD")).unlink()
    without_settings = environment(tmp_path / "d", tmp_path / "d")
    (without_settings / "pyvenv.cfg").unlink()
    interrupted = environment(tmp_path / "e", tmp_path / "e")
    (interrupted / UNFINISHED).touch()

    assert defect(complete) == ""
    assert defect(moved) == f".venv was made in {tmp_path / 'a'}"
    assert defect(without_pip) == defect(without_settings) == ".venv is incomplete"
    assert defect(interrupted) == "the last installation into .venv was interrupted"


def test_without_a_network_the_error_names_the_downloads_and_a_way_without_them(clone: Path) -> None:
    """
    Then the environment stays usable. An interrupted installation and a moved folder make it again.
    """
    status, lines = make(clone, f"PYTHON={sys.executable}", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")

    assert status == 2
    assert "pip downloads at most 26 MB" in lines[1]
    assert "pip could not install the Python packages" in lines[-1]
    assert "pip download -d FOLDER -r requirements/server.txt -r requirements/build.txt" in lines[-1]
    assert defect(clone / ".venv") == ""

    interrupt(clone)

    assert defect(clone / ".venv") == "the last installation into .venv was interrupted"
    moved = clone.rename(clone.with_name("moved"))
    assert defect(moved / ".venv") == f".venv was made in {clone}"
    status, lines = make(moved, f"PYTHON={sys.executable}", PIP_INDEX_URL="http://127.0.0.1:1/simple")
    assert lines[0] == f".venv was made in {clone}: making it again"
    assert defect(moved / ".venv") == ""


def interrupt(clone: Path) -> None:
    """Ends `make run`, with all its processes, while pip waits for an index that does not answer."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
    with socket.create_server(("127.0.0.1", 0)) as index:
        address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        process = subprocess.Popen(
            ["make", "run", f"PYTHON={sys.executable}"],
            cwd=clone,
            env={**os.environ, "PIP_INDEX_URL": address},
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        index.settimeout(60)
        index.accept()[0].close()  # pip runs
        wait_until((clone / ".venv" / UNFINISHED).exists, 60, "the installation to start")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
