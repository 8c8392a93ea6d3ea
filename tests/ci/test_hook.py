"""The hooks for pre-commit, installed by pre-commit itself."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.surfaces.manifests import BAD, CLAIM, GOOD
from tests.surfaces.running import ROOT

PARTS = ("webhook", "certs", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".pre-commit-hooks.yaml")


def run(folder: Path, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)


def git(folder: Path, *words: str, env: dict[str, str]) -> str:
    done = run(folder, "git", *words, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """
    pre-commit makes a fresh environment and installs this package into it.

    The dependencies come from the tests' own environment, so nothing is downloaded.
    """
    home = tmp_path_factory.mktemp("home")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PRE_COMMIT", "PYTEST"))}
    return kept | {
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say: no isolation
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """The working tree's package as a repository."""
    folder = tmp_path_factory.mktemp("clone")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    git(folder, "init", "-q", env=environment)
    git(folder, "add", "-A", env=environment)
    git(folder, "commit", "-qm", "a", env=environment)
    return folder


@pytest.mark.parametrize("hook", ["migratable", "migratable-system"])
def test_the_hook_blocks_a_bad_manifest_and_passes_a_good_one(
    hook: str, clone: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """
    ``git commit`` is refused with the finding, and goes through when the manifest is put right.
    """
    rev = git(clone, "rev-parse", "HEAD", env=environment)
    git(tmp_path, "init", "-q", env=environment)
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {clone}\n  rev: {rev}\n  hooks:\n  - id: {hook}\n    files: ^vms/\n"
    )
    (tmp_path / "vms").mkdir()
    (tmp_path / "vms" / "vm.yaml").write_text(BAD)
    (tmp_path / "vms" / "claim.yaml").write_text(CLAIM)
    installed = run(tmp_path, "pre-commit", "install", env=environment)
    git(tmp_path, "add", "-A", env=environment)

    blocked = run(tmp_path, "git", "commit", "-m", "bad", env=environment)
    (tmp_path / "vms" / "vm.yaml").write_text(GOOD)
    git(tmp_path, "add", "-A", env=environment)
    passed = run(tmp_path, "git", "commit", "-m", "good", env=environment)

    assert installed.returncode == 0, installed.stdout
    assert blocked.returncode == 1
    assert "LM101 bridge-on-pod-network  vms/vm.yaml:8:9" in blocked.stdout + blocked.stderr
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_more_files_than_fit_into_one_command_line_give_one_answer(
    clone: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """
    pre-commit splits 130 KB of names into several runs. The hook still finds each VM's PVC, wherever its name sorts.
    """
    rev = git(clone, "rev-parse", "HEAD", env=environment)
    git(tmp_path, "init", "-q", env=environment)
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {clone}\n  rev: {rev}\n  hooks:\n  - id: migratable-system\n"
    )
    for kind in ("a-vm", "z-claim"):
        (tmp_path / kind).mkdir()
    for number in range(400):
        name = f"{number:04}-{'x' * 220}.yaml"
        volumes = f"\n  volumes:\n  - {{name: os, persistentVolumeClaim: {{claimName: os-{number}}}}}\n"
        (tmp_path / "a-vm" / name).write_text(GOOD.replace("name: good", f"name: vm-{number}").rstrip() + volumes)
        claim = CLAIM.replace("name: os", f"name: os-{number}").replace("ReadWriteMany", "ReadWriteOnce")
        (tmp_path / "z-claim" / name).write_text(claim)
    git(tmp_path, "add", "-A", env=environment)

    ran = run(tmp_path, "pre-commit", "run", "--all-files", env=environment)
    at_once = run(tmp_path, "migratable", "check", ".", env=environment)

    assert ran.returncode == at_once.returncode == 1
    assert ran.stdout.count("deny LM201") == 400, ran.stdout[-2000:]
    assert at_once.stdout in ran.stdout
