"""
The commands of the image run from the built package.

The wheel is built from what the Dockerfile copies, and unpacked in front of the dependencies of this environment. With
MIGRATABLE_TEST_IMAGE=1 the Dockerfile's own commands build a whole environment, which takes a minute and an index.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.apiserver.client import http_ok
from tests.apiserver.processes import free_ports
from tests.image.dockerfile import ROOT, let_in, pairs, stages, values
from tests.waiting import wait_until
from webhook import __version__

START_SECONDS = 60
NO_FACTS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nothing}\n"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build's context, as .dockerignore leaves it."""
    folder = tmp_path_factory.mktemp("context")
    for name in let_in():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    return folder


@pytest.fixture(scope="module")
def package(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both packages of the wheel."""
    wheels, site = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
    subprocess.run(build, cwd=context, check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def environment(package: Path) -> dict[str, str]:
    """Ours from the package, all else from this environment; never from the working directory."""
    return {**os.environ, "PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}


def run(package: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment(package), cwd=package, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_has_every_file_of_both_packages(context: Path, package: Path) -> None:
    """
    Not only the modules: the page too, and the marks that say that we have types.
    """
    for name in ("webhook", "certs"):
        expected = {path.relative_to(context) for path in (context / name).rglob("*") if path.is_file()}
        assert {path.relative_to(package) for path in (package / name).rglob("*") if path.is_file()} == expected


def test_both_commands_start_from_the_package(package: Path) -> None:
    """
    `migratable` and `python -m certs rotate`, from another folder than the sources'.
    """
    where = run(package, "-c", "import webhook, certs; print(webhook.__file__, certs.__file__)")
    version = run(package, "-m", "webhook", "version")
    usage = run(package, "-m", "certs", "rotate", "--help")

    assert all(Path(path).is_relative_to(package) for path in where.split())
    assert version.startswith(f"migratable {__version__} ")
    assert usage.startswith("usage: python -m certs rotate")


@contextmanager
def served(argv: list[str], certificates: Path, facts: Path, env: Mapping[str, str]) -> Iterator[str]:
    """The page of a server that runs for the block, started in the root folder."""
    admission, api, health = free_ports(3)
    flags = ["serve", "--facts", str(facts), "--cert-dir", str(certificates), "--drain-seconds", "0.1"]
    ports = ["--admission-port", str(admission), "--api-port", str(api), "--health-port", str(health)]
    popen = subprocess.Popen([*argv, *flags, *ports], env=env, cwd="/", stdout=subprocess.DEVNULL)

    def ready() -> bool:
        assert popen.poll() is None, "the server has ended"
        return http_ok(f"http://127.0.0.1:{health}/readyz")

    try:
        wait_until(ready, START_SECONDS, "the server to be ready")
        trusted = ssl.create_default_context(cafile=certificates / "ca.crt")
        with urllib.request.urlopen(f"https://localhost:{api}/", context=trusted, timeout=10) as answer:
            yield answer.read().decode()
    finally:
        popen.terminate()
        popen.wait(20)


@pytest.mark.parametrize("writable", [True, False], ids=["temporary folder", "nothing writable"])
def test_the_server_serves_from_the_package(package: Path, tmp_path: Path, writable: bool) -> None:
    """
    With the page; it needs no place to write, not even the temporary folder that it is given.
    """
    certificates, facts, empty = tmp_path / "tls", tmp_path / "facts.yaml", tmp_path / "empty"
    run(package, "-m", "certs", "dev", "--folder", str(certificates))
    facts.write_text(NO_FACTS)
    empty.mkdir()
    files = set(tmp_path.rglob("*"))
    argv = [sys.executable, "-m", "webhook"]
    variables = {"TMPDIR": str(empty), "HOME": "/nonexistent"} if writable else {"TMPDIR": "/nonexistent"}

    with served(argv, certificates, facts, environment(package) | variables) as page:
        assert "Migratable" in page

    assert set(tmp_path.rglob("*")) == files


def build_commands(root: Path) -> list[str]:
    """The shell commands of the Dockerfile's build stage, with the folders that they name below ROOT."""
    _, build, _ = stages()
    return [re.sub(r"(?<!\S)/(?=build|app|wheel)", f"{root}/", command) for command in values(build, "RUN")]


@pytest.mark.skipif(os.environ.get("MIGRATABLE_TEST_IMAGE") != "1", reason="needs MIGRATABLE_TEST_IMAGE=1")
def test_the_dockerfiles_commands_make_an_environment_that_serves(context: Path, tmp_path: Path) -> None:
    """
    The locked packages fit together, nothing else is needed, and pip is not among them.
    """
    _, build, _ = stages()
    settings = {**os.environ, **pairs(build, "ENV"), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in build_commands(tmp_path):
        subprocess.run(["/bin/sh", "-ec", command], cwd=context, env=settings, check=True, timeout=600)
    python, script = tmp_path / "app" / "bin" / "python", tmp_path / "app" / "bin" / "migratable"
    certificates, facts = tmp_path / "tls", tmp_path / "facts.yaml"
    subprocess.run([python, "-m", "certs", "dev", "--folder", certificates], check=True, cwd=tmp_path)
    facts.write_text(NO_FACTS)

    with served([str(script)], certificates, facts, {"PATH": "/nonexistent"}) as page:
        assert "Migratable" in page
    pip = subprocess.run([python, "-c", "import pip"], check=False, capture_output=True, cwd=tmp_path)
    uncompiled = [
        path
        for path in (tmp_path / "app").rglob("webhook/**/*.py")
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
    ]

    assert (pip.returncode, uncompiled) == (1, [])
    assert script.read_text().startswith(f"#!{python}\n")
