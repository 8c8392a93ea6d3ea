"""The checker is small. docs/release.md names these figures."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tools.release.__main__ import ROOT

NEEDED = ("click", "msgspec", "pathspec", "pyyaml")
BLOCK = 4096


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and its dependencies, without bytecode."""
    folder, built = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for file in (file for name in NEEDED for file in distribution(name).files or ()):
        if file.suffix != ".pyc" and ".." not in file.parts:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), folder / file)
    return folder


def size_of(folder: Path) -> float:
    """Megabytes on a disk with blocks of 4 KiB."""
    sizes = [BLOCK if path.is_dir() else path.stat().st_size for path in folder.rglob("*")]
    return sum(-(-size // BLOCK) * BLOCK for size in sizes) / 1_000_000


def run(packages: Path, *words: str) -> None:
    """Runs a module of the folder. Python may write bytecode."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**inherited, "PYTHONPATH": str(packages)}
    subprocess.run(
        [sys.executable, "-m", *words], cwd=packages, env=environment, check=False, capture_output=True, timeout=120
    )


def test_the_wheel_with_its_dependencies_takes_at_most_12_mb(packages: Path) -> None:
    """
    As `uv tool install` and `pip install --no-compile` install it.
    """
    assert (packages / "webhook" / "__main__.py").is_file()
    assert 8 < size_of(packages) <= 12


def test_with_bytecode_it_takes_at_most_12_mb_after_a_check_and_19_mb_in_total(packages: Path) -> None:
    """
    Python writes the bytecode of the modules that it loads. `pip install` compiles all modules.
    """
    before = size_of(packages)

    run(packages, "webhook", "check", str(ROOT / "examples" / "vm-bridge.yaml"))
    after_a_check = size_of(packages)
    run(packages, "compileall", "-q", str(packages))

    assert before + 1 < after_a_check <= 12
    assert after_a_check + 1 < size_of(packages) <= 19
