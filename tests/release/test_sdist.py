"""The archive of the sources."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.release.__main__ import ROOT
from webhook import __version__

NAME = f"kubevirt_migratable-{__version__}"


def build(source: Path, out: Path, target: str) -> Path:
    """Builds an archive of a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build(ROOT, folder / "out", "sdist")) as archive:
        archive.extractall(folder, filter="data")
    return folder / NAME


def test_the_sdist_has_the_package_and_no_other_folder(sources: Path) -> None:
    """
    Tests, documentation and manifests are in the repository.
    """
    assert {path.name for path in sources.iterdir()} == {
        *("webhook", "certs", "pyproject.toml", "PKG-INFO", ".gitignore"),
        *("README.md", "LICENSE", "CHANGELOG.md"),
    }


def test_the_wheel_of_the_sdist_is_that_of_the_repository(sources: Path, tmp_path: Path) -> None:
    """
    With the same bytes, so it does not matter which of them a packager builds.
    """
    of_repository, of_sdist = (build(place, tmp_path / place.name, "wheel") for place in (ROOT, sources))

    assert of_repository.read_bytes() == of_sdist.read_bytes()
