"""The examples for GitLab, Tekton and krew."""

import hashlib
import os
import re
import shutil
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
from webhook import __version__

LENT = {"PYTHONPATH": sysconfig.get_paths()["purelib"]}
"""The dependencies of the package, from the tests' own environment: nothing is downloaded."""


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
    header, body = (ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8").split("\n---\n")
    inputs = {name: declared.get("default") for name, declared in yaml.safe_load(header)["spec"]["inputs"].items()}
    values = inputs | {
        "image": "registry/migratable@sha256:1",
        "paths": "sub",
        "arguments": "--only LM101 --profile exact",
    }
    job: dict[str, Any] = yaml.safe_load(re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: values[match[1]], body))[
        "migratable"
    ]

    ran = shell(tmp_path, "sh", "-c", "\n".join(job["script"]), **job["variables"])

    assert inputs == {"image": None, "paths": ".", "arguments": "", "stage": "test"}
    assert (job["stage"], job["image"]["name"]) == ("test", values["image"])
    assert ran.returncode == 1, ran.stderr
    assert "LM101" in ran.stdout
    assert "LM302" not in ran.stdout, "the arguments reach the check"
    for report in job["artifacts"]["reports"].values():
        assert (tmp_path / report).stat().st_size


def test_the_tekton_step_runs(program: Path, tmp_path: Path) -> None:
    """
    The step's command with the parameters' defaults put in, as Tekton does, runs the check.
    """
    task: dict[str, Any] = yaml.safe_load((ROOT / "ci" / "tekton.yaml").read_text(encoding="utf-8"))
    defaults = {param["name"]: param["default"] for param in task["spec"]["params"] if "default" in param}
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
    assert "image" not in defaults
    assert (tmp_path / "src" / "migratable.sarif").stat().st_size


@pytest.mark.parametrize("path", sorted((ROOT / "ci").iterdir()), ids=lambda path: path.name)
def test_examples_have_no_placeholder_addresses(path: Path) -> None:
    """
    An unchanged example works or reports the missing input: it has no invented image or address.
    """
    assert not re.search(r"//[\w.-]*example\.|registry\.example|OWNER", path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of ``ci/krew.sh``, without dependencies."""
    folder = tmp_path_factory.mktemp("krew")
    built = subprocess.run(
        [ROOT / "ci" / "krew.sh", folder / "out", "--without-dependencies"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "HOME": str(folder),
            "PIP_NO_BUILD_ISOLATION": "0",
            **LENT,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(built.stdout.strip())


def krew(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """``ci/krew.py`` with some arguments."""
    return subprocess.run(
        [sys.executable, ROOT / "ci" / "krew.py", *words], capture_output=True, text=True, check=False
    )


VERSION = f"v{__version__}"
URLS = ("--homepage", "https://github.com/a/b", "--from", "https://github.com/a/b/releases/download/v1/")


def test_the_krew_manifest_is_filled_from_the_archives(archive: Path, tmp_path: Path) -> None:
    """
    A plugin manifest as krew takes it: a short description, and address, checksum and program of each archive there is.
    """
    other = tmp_path / archive.name.replace("linux", "darwin")
    shutil.copy(archive, other)

    made = krew(VERSION, *URLS, other, archive)

    plugin: dict[str, Any] = yaml.safe_load(made.stdout)
    assert (plugin["apiVersion"], plugin["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert (plugin["metadata"]["name"], plugin["spec"]["version"]) == ("migratable", VERSION)
    assert len(plugin["spec"]["shortDescription"]) <= 50
    caveats = plugin["spec"]["caveats"]
    assert caveats.startswith(f"Requires Python {sys.version_info[0]}.{sys.version_info[1]} on PATH.")
    completion = "kubectl-migratable/kubectl_complete-migratable"
    assert f"ln -s ~/.krew/store/migratable/{VERSION}/{completion} ~/.krew/bin/" in caveats
    platforms = plugin["spec"]["platforms"]
    assert [platform["selector"]["matchLabels"]["os"] for platform in platforms] == ["darwin", "linux"]
    for platform, path in zip(platforms, (other, archive), strict=True):
        assert platform["uri"] == f"https://github.com/a/b/releases/download/v1/{path.name}"
        assert platform["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        with tarfile.open(path) as opened:
            assert all(opened.getmember(name).mode & 0o111 for name in (platform["bin"], completion))


def test_invalid_krew_arguments_are_refused(archive: Path, tmp_path: Path) -> None:
    """
    Wrong versions, made up addresses, two archives for a platform, and archives that krew.sh did not build.
    """
    (tmp_path / "a").mkdir()
    shutil.copy(archive, tmp_path / "a")
    renamed, empty = tmp_path / "plugin.tar.gz", tmp_path / archive.name
    shutil.copy(archive, renamed)
    with tarfile.open(empty, "w:gz"):
        pass
    example = ("--homepage", "https://example.com/a", *URLS[2:])
    plain = (*URLS[:3], "http://github.com/a/b")

    refusals = {
        "use the form v0.1.0": krew(__version__, *URLS, archive),
        "the version is not v99.0.0": krew("v99.0.0", *URLS, archive),
        "has a placeholder host": krew(VERSION, *example, archive),
        "use an https URL": krew(VERSION, *plain, archive),
        "two archives for": krew(VERSION, *URLS, archive, tmp_path / "a" / archive.name),
        "no platform in the file name": krew(VERSION, *URLS, renamed),
        "not an archive of ci/krew.sh": krew(VERSION, *URLS, empty),
    }

    for message, ran in refusals.items():
        assert (ran.returncode, ran.stdout) == (1, "")
        assert message in ran.stderr


def test_the_krew_archive_runs_through_a_link(archive: Path, tmp_path: Path) -> None:
    """
    ``ci/krew.sh`` packs a program that runs where krew links to it, with nothing but Python beside it, and one that completes it.
    """
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "store", filter="data")
    (tmp_path / "bin").mkdir()
    for name in ("kubectl-migratable", "kubectl_complete-migratable"):
        start = tmp_path / "store" / "kubectl-migratable" / name
        # what the archive would hold of other packages is lent here, too: in front of it, so that ours is the archive's
        start.write_text(start.read_text().replace('/lib"', f'/lib:{LENT["PYTHONPATH"]}"'))
        (tmp_path / "bin" / name).symlink_to(start)
    (tmp_path / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}").symlink_to(sys.executable)
    (tmp_path / "vm.yaml").write_text(BAD)

    ran = shell(tmp_path, "kubectl-migratable", "check", "--isolated", "vm.yaml", PYTHONPATH="")
    completed = shell(tmp_path, "kubectl_complete-migratable", "che", PYTHONPATH="")

    assert (ran.returncode, "LM101" in ran.stdout) == (1, True), ran.stderr
    assert [line.partition("\t")[0] for line in completed.stdout.splitlines()] == ["check", ":4"], completed.stderr
    assert (tmp_path / "store" / "kubectl-migratable" / "LICENSE").is_file()
