"""Another version of this project, installed from a commit into an environment of its own, and its processes."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from tests.apiserver.binaries import cache_folder, locked
from tests.apiserver.serving import Serving

ROOT = Path(__file__).resolve().parents[1]
FIRST = "64878fe"
"""The previous version while there is no tag yet."""
HOOKS = Path("deploy/kustomize/base/webhooks")


@dataclass(frozen=True, slots=True)
class Version:
    """An installed version: its interpreter, its source (for manifests), and a folder to run in."""

    name: str
    python: str
    source: Path
    folder: Path

    def begin(self, log: Path, *argv: object) -> subprocess.Popen[bytes]:
        """Starts a module of this version."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with log.open("ab") as out:
            return subprocess.Popen(
                [self.python, "-m", *map(str, argv)], stdout=out, stderr=out, cwd=self.folder, env=environment
            )

    def serve(self, certificates: Path, ports: Sequence[int], *flags: object, drain_seconds: float = 1.5) -> Serving:
        """A replica on these ports (admission, API, health), with the certificate of a folder."""
        log = certificates.with_suffix(f".{self.name}.log")
        named = zip(("--admission-port", "--api-port", "--health-port"), ports, strict=True)
        argv = ["webhook", "serve", "--cert-dir", certificates, "--drain-seconds", drain_seconds]
        popen = self.begin(log, *argv, *(argument for pair in named for argument in pair), *flags)
        return Serving(popen, *ports, certificates, log)

    def hooks(self) -> list[dict[str, Any]]:
        """The webhook configurations that this version installs."""
        paths = sorted((self.source / HOOKS).glob("*.yaml"))
        return [document for path in paths for document in yaml.safe_load_all(path.read_text())]

    def policies(self) -> dict[str, bytes]:
        """The policy files that this version ships, by their place."""
        paths = sorted((self.source / "deploy" / "kustomize").rglob("policy.yaml"))
        return {str(path.relative_to(self.source)): path.read_bytes() for path in paths}

    def reads_policy(self, content: bytes) -> str:
        """Empty where this version takes a policy file, else why not."""
        script = "import sys; from webhook.manifests.policy_file import parse_policy; parse_policy(sys.stdin.buffer.read(), '-')"
        done = subprocess.run(
            [self.python, "-c", script], cwd=self.folder, input=content, capture_output=True, check=False
        )
        return "" if done.returncode == 0 else done.stderr.decode().strip().splitlines()[-1]


def current() -> Version:
    """This working tree."""
    return Version("new", sys.executable, ROOT, ROOT)


def previous(commit: str) -> Version:
    """The version of a commit, installed on first use into the folder that keeps built binaries."""
    named = _git("rev-parse", "--short=12", commit)
    folder = cache_folder() / "versions" / named
    version = Version("old", str(folder / "venv" / "bin" / "python"), folder / "source", folder / "empty")
    with locked(folder):
        if not version.folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            _install(named, folder, version)
            version.folder.mkdir()  # last: what was interrupted is begun again
    return version


def last_version() -> str:
    """The last tag, or the first version where there is none."""
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return tag or FIRST


def _install(commit: str, folder: Path, version: Version) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(version.source, filter="data")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    pip = [version.python, "-m", "pip", "install", "--quiet"]
    locks = [f"--requirement={version.source / 'requirements' / name}.txt" for name in ("runtime", "build")]
    subprocess.run([*pip, "--require-hashes", *locks], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(version.source)], check=True)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
