"""
The virtual environment of `make`, with only Python's own modules.

`usable FOLDER` fails if the environment must be made again, and prints the reason. `make FOLDER` makes it.
`install FOLDER LOCK...` installs the packages of locks in requirements/, and shows progress. Each error is one line with its
remedy.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
UNFINISHED = "installing"
"""A file in the environment while pip installs packages. If it is still there later, the installation was interrupted."""
DOWNLOADS = {"server": "; pip downloads at most 26 MB"}
"""The size of a lock's packages on Linux, as far as it was measured."""
RETRIES = ("--retries", "2", "--timeout", "15")


def main(command: str, folder: str, *locks: str) -> int:
    """Runs one of the commands, and returns its exit status."""
    environment = Path(folder).absolute()
    if command == "usable":
        reason = defect(environment)
        if reason:
            _say(f"{reason}: making it again")
        return 1 if reason else 0
    if command == "make":
        make(environment)
    else:
        install(environment, locks)
    return 0


def defect(environment: Path) -> str:
    """Why the environment cannot be used. An empty string if it can."""
    try:
        settings = (environment / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return f"{environment.name} is incomplete"
    made_in = re.search(r"^command = .* -m venv (?:--\S+ )*(.*)$", settings, re.MULTILINE)
    if made_in and Path(made_in[1]) != environment:
        return f"{environment.name} was made in {Path(made_in[1]).parent}"
    if not list(environment.glob("lib/python3*/site-packages/pip-*.dist-info/RECORD")):
        return f"{environment.name} is incomplete"
    if (environment / UNFINISHED).exists():
        return f"the last installation into {environment.name} was interrupted"
    return ""


def make(environment: Path) -> None:
    """Makes the environment in place of an old one."""
    missing = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if missing:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        _fail(
            f"{sys.executable} cannot make a virtual environment: its module {missing[0]} is not installed",
            f"On Debian and Ubuntu, run: apt install {package}. Or name another Python: make run PYTHON=python3.12",
        )
    _say(f"making {environment.name} with Python {sys.version.split()[0]}")
    shutil.rmtree(environment, ignore_errors=True)
    made = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "venv", environment],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        shutil.rmtree(environment, ignore_errors=True)
        sys.stderr.write(made.stdout)
        _fail(
            f"`{sys.executable} -m venv {environment}` failed with status {made.returncode}",
            "Its output is above. Correct the cause, or name another Python: make run PYTHON=python3.12",
        )


def install(environment: Path, locks: Iterable[str]) -> None:
    """Installs the packages of locks with their hashes; for lock `server` also this project, editable."""
    names = list(locks)
    python = str(environment / "bin" / "python")
    files = [ROOT / "requirements" / f"{name}.txt" for name in names]
    count = sum(len(re.findall(r"^[a-z0-9].*==", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in files)
    _say(f"installing up to {count} Python packages into {environment.name}{DOWNLOADS.get(names[0], '')}")
    (environment / UNFINISHED).touch()
    words = [word for path in files for word in ("-r", str(path))]
    _pip(environment, [python, "-m", "pip", "install", *RETRIES, "--require-hashes", *words], count)
    if "server" in names:
        build = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
        _pip(environment, [python, "-m", "pip", "install", "--quiet", *build], 0)
    (environment / UNFINISHED).unlink()


def _pip(environment: Path, command: list[str], count: int) -> None:
    """Runs pip and shows how far it is. Its own output is shown only if it fails."""
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    kept: list[str] = []
    with subprocess.Popen(  # noqa: S603 - pip of the environment
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        if process.stdout is not None:
            _show(_remembered(process.stdout, kept), count)
    if process.returncode:
        (environment / UNFINISHED).unlink(missing_ok=True)  # pip ended by itself: it has installed all packages or none
        sys.stderr.writelines(line for line in kept[-15:] if "WARNING: Retrying" not in line)
        _fail(
            "pip could not install the Python packages; its last lines are above",
            "Without a network, run `pip download -d FOLDER -r requirements/server.txt -r requirements/build.txt` on a computer "
            "with one, then `PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make run`. For an index of your own, set PIP_INDEX_URL",
        )


def _remembered(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line


def _show(lines: Iterable[str], count: int) -> None:
    """One line that is written over on a terminal; elsewhere a line for every tenth package."""
    terminal = sys.stderr.isatty()
    number = 0
    for line in lines:
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            number += 1
            if terminal or number % 10 == 0:
                _progress(f"  {number} of {count} packages", terminal)
        elif line.startswith("Installing collected packages"):
            _progress(f"  unpacking {line.count(',') + 1} packages", terminal)
        elif "WARNING: Retrying" in line:
            _progress("  no answer from the package index, trying again", terminal)
    if terminal:
        sys.stderr.write("\r\033[K")


def _progress(text: str, terminal: bool) -> None:
    sys.stderr.write(f"\r\033[K{text}" if terminal else f"{text}\n")
    sys.stderr.flush()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _fail(problem: str, remedy: str) -> NoReturn:
    _say(f"error: {problem}. {remedy}.")
    sys.exit(1)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
