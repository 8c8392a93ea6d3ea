"""The checker, and the extras `cluster` and `server`: sizes, imports, and errors if an extra is not installed."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD
from tests.surfaces.running import ROOT
from webhook.surfaces.cli.extras import EXTRAS

MOST_BYTES = 12_000_000
"""The checker's dependencies, as installed."""
SERVER_PACKAGES = {"aiohttp", "cryptography", "fastapi", "kubernetes", "pydantic", "starlette", "uvicorn", "urllib3"}
NOT_LISTENING = """
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: lab, user: {token: abc}}]
contexts: [{name: lab, context: {cluster: lab, user: lab}}]
current-context: lab
"""
BLOCK = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name.partition(".")[0] in BLOCKED else find(name, *rest)
)
"""


def locked(lock: str) -> dict[str, str]:
    """The distributions in a lock that are installed on this platform, with their versions."""
    lines = re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE)
    installed = {name.lower().replace("_", "-") for names in packages_distributions().values() for name in names}
    return {name: version for name, version in lines if name in installed}


def run(lock: str, folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs Python in a process that can import only the packages of a lock, and our own."""
    kept = {*locked(lock), "kubevirt-migratable"}
    blocked = {
        module
        for module, names in packages_distributions().items()
        if not kept & {name.lower().replace("_", "-") for name in names}
    }
    (folder / "sitecustomize.py").write_text(f"BLOCKED = {sorted(blocked)!r}\n{BLOCK}")
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "HOME": str(folder), "KUBECONFIG": str(folder / "none")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "vm.yaml"
    path.write_text(BAD)
    return path


def test_the_dependencies_of_the_checker_are_small() -> None:
    """
    At most 12 MB, without a server, a Kubernetes client or a cryptography library.
    """
    size = 0
    for name, version in locked("checker").items():
        installed = distribution(name)
        assert installed.version == version
        paths = [Path(str(file.locate())) for file in installed.files or ()]
        size += sum(path.stat().st_size for path in paths if path.is_file())

    assert 1_000_000 < size < MOST_BYTES
    assert SERVER_PACKAGES & set(locked("checker")) == set()


def test_smaller_locks_are_parts_of_larger_ones() -> None:
    """
    An extra adds packages, and changes no version.
    """
    checker, cluster, server, dev = map(locked, ("checker", "cluster", "server", "dev"))

    assert checker.items() < cluster.items() < server.items() < dev.items()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["check", "vm.yaml"], 1),
        (["check", "vm.yaml", "-o", "sarif", "-o", "junit=j.xml", "-o", "gitlab=g.json"], 1),
        (["check", "vm.yaml", "--fix"], 1),
        (["check", "vm.yaml", "--write-baseline", "--baseline", "known.yaml"], 0),
        (["check", "--help"], 0),
        (["explain", "LM101"], 0),
        (["explain-settings", "vm.yaml"], 0),
        (["policies"], 0),
        (["rules"], 0),
        (["version"], 0),
        (["completion", "bash"], 0),
        (["snapshot", "--help"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_commands_that_read_files_need_no_extra(
    manifest: Path, tmp_path: Path, arguments: list[str], status: int
) -> None:
    """
    They run with the packages of the checker only.
    """
    ran = run("checker", tmp_path, "-m", "webhook", *arguments)

    assert (ran.returncode, ran.stderr.count("Traceback")) == (status, 0), ran.stderr


@pytest.mark.parametrize(
    ("lock", "arguments"),
    [
        ("checker", ["snapshot"]),
        ("checker", ["serve"]),
        ("checker", ["serve", "--facts", "examples"]),
        ("checker", ["serve", "--help"]),
        ("cluster", ["serve"]),
    ],
)
def test_a_command_without_its_extra_names_the_extra(tmp_path: Path, lock: str, arguments: list[str]) -> None:
    """
    In one line, with the command that installs it, and status 2.
    """
    ran = run(lock, tmp_path, "-m", "webhook", *arguments)

    (line,) = ran.stderr.splitlines()
    assert (ran.returncode, ran.stdout) == (2, "")
    assert line.startswith(f"error: `migratable {arguments[0]}` needs Python packages that are not installed: ")
    assert f"pip install 'kubevirt-migratable[{EXTRAS[arguments[0]]}]'" in line


def test_certs_names_the_extra_that_it_needs(tmp_path: Path) -> None:
    """
    In one line.
    """
    ran = run("cluster", tmp_path, "-m", "certs", "dev")

    (line,) = ran.stderr.splitlines()
    assert ran.returncode == 2
    assert "not installed: cryptography" in line
    assert "kubevirt-migratable[server]" in line


@pytest.mark.parametrize(
    "arguments",
    [["audit"], ["drain", "--all"], ["explain", "vm/web"], ["snapshot", "--drain"]],
    ids=lambda arguments: str(arguments[0]),
)
def test_commands_that_read_a_cluster_need_only_the_cluster_extra(tmp_path: Path, arguments: list[str]) -> None:
    """
    With a kubeconfig that exists, they send a request: the error is that no API server listens.
    """
    (tmp_path / "none").write_text(NOT_LISTENING)

    ran = run("cluster", tmp_path, "-m", "webhook", *arguments)

    assert ran.returncode == 2
    assert "connection refused" in ran.stderr
    assert "rights" not in ran.stderr
    assert "not installed" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_help_and_completion_list_commands_whose_extra_is_missing(tmp_path: Path) -> None:
    """
    The list of commands does not depend on extras.
    """
    complete = (
        "import os; os.environ.update(_MIGRATABLE_COMPLETE='bash_complete', COMP_WORDS='migratable s', COMP_CWORD='1')"
    )
    start = "import sys; sys.argv = ['migratable']; from webhook.__main__ import main; main()"

    listed = run("checker", tmp_path, "-m", "webhook", "--help")
    completed = run("checker", tmp_path, "-c", f"{complete}; {start}")

    assert "  serve " in listed.stdout
    assert completed.stdout.split() == ["plain,serve", "plain,snapshot"], completed.stderr


def test_the_import_times_of_a_check_show_no_package_of_an_extra(manifest: Path, tmp_path: Path) -> None:
    """
    `python -X importtime` lists Python's own modules, ours, and those of the checker's packages.
    """
    ran = run("server", tmp_path, "-X", "importtime", "-m", "webhook", "check", manifest)

    imported = {name.partition(".")[0] for name in re.findall(r"\| +([\w.]+)$", ran.stderr, re.MULTILINE)}
    extra = set(locked("server")) - set(locked("checker"))
    of_extras = {module for module in imported if extra & set(packages_distributions().get(module, ()))}
    assert ran.returncode == 1
    assert {"webhook", "msgspec"} <= imported
    assert of_extras <= {"typing_extensions"}  # msgspec imports it if it is installed
