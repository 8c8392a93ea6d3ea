"""Start-up: the imports of a check, and its CPU time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD
from tests.surfaces.running import ROOT

HEAVY = {
    "asyncio",
    "base64",
    "click",
    "cryptography",
    "email",
    "glob",
    "fastapi",
    "hashlib",
    "http.client",
    "importlib.metadata",
    "jsonschema",
    "kubernetes",
    "logging",
    "multiprocessing",
    "prometheus_client",
    "pydantic",
    "requests",
    "rich",
    "shutil",
    "ssl",
    "starlette",
    "tomllib",
    "urllib3",
    "uvicorn",
    "uvloop",
    "xml.etree",
    "yaml",
}
MOST_SECONDS = 0.3
"""
Of CPU, the best of some runs on any machine that runs tests. On the machine of docs/decisions/0013 it is less than half of that;
an import of pydantic, kubernetes or fastapi by mistake costs 0.1 to 0.4 more.
"""
RUN = """
import sys
from webhook.__main__ import main
sys.argv = ["migratable", "check", "--isolated", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    status = end.code
import json
print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installed program: modules are compiled once."""
    cache = tmp_path_factory.mktemp("bytecode")
    settings = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return settings | {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "vm.yaml"
    path.write_text(BAD)
    return path


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_check_imports_nothing_heavy(manifest: Path, compiled: dict[str, str], form: str) -> None:
    """
    Neither servers, nor clients, nor parsers of other formats are imported to check a file.
    """
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(manifest), "-o", form], capture_output=True, check=True, env=compiled, text=True
    )

    status, modules = json.loads(ran.stderr.splitlines()[-1])
    assert status == 1
    assert "LM101" in ran.stdout
    assert HEAVY & set(modules) == set()


def seconds(manifest: Path, settings: dict[str, str], runs: int) -> Iterator[float]:
    """CPU of whole runs, from the start of the process to its end."""
    for _ in range(runs):
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook", "check", "--isolated", str(manifest)],
            env=settings,
            stdout=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 1
        yield used.ru_utime + used.ru_stime


def test_a_check_of_one_file_starts_quickly(manifest: Path, compiled: dict[str, str]) -> None:
    """
    It takes less than a third of a second of CPU, interpreter included.
    """
    list(seconds(manifest, compiled, 1))

    assert min(seconds(manifest, compiled, 8)) < MOST_SECONDS
