"""The examples for GitLab, Tekton and krew."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.surfaces.manifests import BAD
from tests.surfaces.running import ROOT


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "migratable"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m webhook "$@"\n')
    path.chmod(0o755)
    (tmp_path / "vm.yaml").write_text(BAD)
    return path


def shell(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_gitlab_job_writes_the_reports_that_it_uploads(program: Path, tmp_path: Path) -> None:
    """
    Run in a shell, the job's script fails for a finding and leaves both reports.
    """
    (tmp_path / "sub").mkdir()
    (tmp_path / "vm.yaml").rename(tmp_path / "sub" / "vm.yaml")
    config: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
    job = config["migratable"]

    ran = shell(tmp_path, "sh", "-c", "\n".join(job["script"]), MIGRATABLE_PATHS="sub")

    assert ran.returncode == 1, ran.stderr
    assert "LM101" in ran.stdout
    for report in job["artifacts"]["reports"].values():
        assert (tmp_path / report).stat().st_size


def test_the_tekton_step_runs(program: Path, tmp_path: Path) -> None:
    """
    The step's command with the parameters' defaults put in, as Tekton does, runs the check.
    """
    task: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "tekton.yaml").read_text(encoding="utf-8"))
    defaults = {each["name"]: each["default"] for each in task["spec"]["params"]}
    (step,) = task["spec"]["steps"]
    words = list(step["command"])
    for word in step["args"]:
        whole = re.fullmatch(r"\$\(params\.(\w+)\[\*\]\)", word)
        words += defaults[whole[1]] if whole else [word]

    (tmp_path / "bin" / "migratable").rename(tmp_path / "migratable")
    (tmp_path / "src").mkdir()
    (tmp_path / "vm.yaml").rename(tmp_path / "src" / "vm.yaml")
    ran = shell(tmp_path / "src", str(tmp_path / "migratable"), *words[1:])

    assert (ran.returncode, words[0]) == (1, "migratable"), ran.stderr
    assert (tmp_path / "src" / "migratable.sarif").stat().st_size


def test_the_krew_manifest_has_what_krew_asks_for() -> None:
    """
    With the release's values put in it is a plugin manifest: its name, a short description, and an archive a platform.
    """
    template = (ROOT / "ci" / "krew.yaml").read_text(encoding="utf-8")
    filled = re.sub(
        r'\{\{addURIAndSha "(.*)" \.TagName \}\}', rf'uri: \1\n      sha256: "{"0" * 64}"', template
    ).replace("{{ .TagName }}", "v0.1.0")
    plugin: dict[str, Any] = yaml.safe_load(filled)

    assert (plugin["apiVersion"], plugin["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert re.fullmatch(r"[a-z0-9-]+", plugin["metadata"]["name"])
    assert re.fullmatch(r"v\d+\.\d+\.\d+", plugin["spec"]["version"])
    assert len(plugin["spec"]["shortDescription"]) <= 50
    for platform in plugin["spec"]["platforms"]:
        labels = platform["selector"]["matchLabels"]
        assert platform["uri"].endswith(f"{labels['os']}-{labels['arch']}.tar.gz")
        assert platform["bin"].endswith("/kubectl-migratable")


def test_the_krew_archive_runs_through_a_link(tmp_path: Path) -> None:
    """
    ``ci/krew.sh`` packs a program that runs where krew links to it, with nothing but Python beside it.
    """
    lent = {"PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": sysconfig.get_paths()["purelib"]}
    built = subprocess.run(
        [ROOT / "ci" / "krew.sh", tmp_path / "out", "--no-deps"],
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, "HOME": str(tmp_path), **lent},
        capture_output=True,
        text=True,
        check=True,
    )
    with tarfile.open(built.stdout.strip()) as archive:
        archive.extractall(tmp_path / "store", filter="data")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl-migratable").symlink_to(
        tmp_path / "store" / "kubectl-migratable" / "kubectl-migratable"
    )
    (tmp_path / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}").symlink_to(sys.executable)
    (tmp_path / "vm.yaml").write_text(BAD)
    # what the archive would hold of other packages is lent here, too: in front of it, so that ours is the archive's
    start = tmp_path / "store" / "kubectl-migratable" / "kubectl-migratable"
    start.write_text(start.read_text().replace('/lib"', f'/lib:{lent["PYTHONPATH"]}"'))

    ran = shell(tmp_path, "kubectl-migratable", "check", "--isolated", "vm.yaml", PYTHONPATH="")

    assert (ran.returncode, "LM101" in ran.stdout) == (1, True), ran.stderr
    assert (tmp_path / "store" / "kubectl-migratable" / "LICENSE").is_file()
