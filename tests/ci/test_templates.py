"""The templates for CI systems, with their defaults, in a repository that holds the files of the CI systems themselves."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.surfaces.manifests import BAD, CLAIM, GOOD
from tests.surfaces.running import ROOT

Ran = subprocess.CompletedProcess[str]
CI_FILES = {
    ".github/workflows/ci.yml": "on: [push]\njobs: {check: {runs-on: ubuntu-24.04, steps: [{run: make}]}}\n",
    ".github/dependabot.yml": "version: 2\nupdates: []\n",
    ".gitlab-ci.yml": "include: [{project: platform/migratable, file: ci/gitlab.yml}]\nx: {script: [!reference [a, b]]}\n",
    ".pre-commit-config.yaml": "repos:\n- repo: https://git.test/migratable\n  rev: v1\n  hooks: [{id: migratable}]\n",
    ".tekton/task.yaml": (ROOT / "ci" / "tekton.yaml").read_text(encoding="utf-8"),
    "migratable/action.yml": (ROOT / "action.yml").read_text(encoding="utf-8"),
    "package.json": '{"name": "web"}\n',
    "mkdocs.yml": "site_name: !ENV [NAME, x]\n",
    ".git/config.yaml": "a: [\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with files of all CI systems, and the program on PATH."""
    program = tmp_path / "temp" / "migratable" / "bin" / "migratable"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    program.chmod(0o755)
    for name, text in {**CI_FILES, "vms/vm.yaml": GOOD, "vms/claim.yaml": CLAIM}.items():
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "repo"


def run(repository: Path, *words: str, **variables: str) -> Ran:
    temp = repository.parent / "temp"
    env = {"PATH": f"{temp / 'migratable' / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(words, cwd=repository, env=env, capture_output=True, text=True, check=False, timeout=120)


def github(repository: Path) -> Ran:
    """The action's check, as a runner runs it."""
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    step = action["runs"]["steps"][-1]
    inputs = {f"${{{{ inputs.{name} }}}}": str(value["default"]) for name, value in action["inputs"].items()}
    temp = repository.parent / "temp"
    return run(
        repository,
        *("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]),
        **{name: inputs[expression] for name, expression in step["env"].items()},
        RUNNER_TEMP=str(temp),
        GITHUB_WORKSPACE=str(repository),
        GITHUB_OUTPUT=str(temp / "output"),
        GITHUB_STEP_SUMMARY=str(temp / "summary"),
    )


def gitlab(repository: Path) -> Ran:
    """The script of the job, with the defaults of its inputs."""
    header, body = (ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8").split("\n---\n")
    inputs = {name: value.get("default", "x") for name, value in yaml.safe_load(header)["spec"]["inputs"].items()}
    job = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: inputs[match[1]], body))["migratable"]
    return run(repository, "sh", "-c", "\n".join(job["script"]), CI_PROJECT_DIR=str(repository), **job["variables"])


def tekton(repository: Path) -> Ran:
    """The command of the step, with the defaults of the parameters."""
    task: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "tekton.yaml").read_text(encoding="utf-8"))
    defaults = {parameter["name"]: parameter.get("default") for parameter in task["spec"]["params"]}
    (step,) = task["spec"]["steps"]
    words = list(step["command"])
    for word in step["args"]:
        whole = re.fullmatch(r"\$\(params\.(\w+)\[\*\]\)", word)
        words += defaults[whole[1]] if whole else [word]
    return run(repository, *words)


def pre_commit(repository: Path) -> Ran:
    """The command of the hook: pre-commit adds ``args``, and no names of files."""
    hook, system = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["entry"], hook["args"]) == (system["entry"], system["args"])
    assert hook["pass_filenames"] is system["pass_filenames"] is False
    return run(repository, *shlex.split(hook["entry"]), *hook["args"])


@pytest.mark.parametrize("template", [github, gitlab, tekton, pre_commit])
def test_a_template_passes_and_fails_for_the_manifests_alone(repository: Path, template: Callable[[Path], Ran]) -> None:
    """
    Green for a good manifest, twice in one folder, because the second run meets the reports of the first. Red for a bad one.
    """
    green, again = template(repository), template(repository)
    (repository / "vms" / "vm.yaml").write_text(BAD)
    red = template(repository)

    assert (green.returncode, green.stderr.count("error:")) == (0, 0), green.stderr
    assert (again.returncode, again.stderr) == (0, green.stderr)
    assert red.returncode == 1, red.stderr
    assert "LM101 bridge-on-pod-network" in red.stdout
    assert "vms/vm.yaml" in red.stdout
