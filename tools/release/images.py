"""
The images of both platforms as one OCI archive.

buildah builds them, because it needs no server and writes the same times in each build. `docker build .` builds the same image
for one platform.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.release.archives import files_below, tar

ARCHITECTURES = ("amd64", "arm64")
BASE = "localhost/migratable-base"
NAME = "localhost/migratable-release"


class NoBuilder(Exception):
    """buildah is not installed."""


def pull(base: str) -> None:
    """Pulls the base image for both platforms, and names them for the build."""
    for architecture in ARCHITECTURES:
        found = _buildah("pull", "--quiet", "--platform", f"linux/{architecture}", base)
        _buildah("tag", found, f"{BASE}:{architecture}")


def pulled() -> list[str]:
    """The ids of the base images that the build uses. Empty if none was pulled."""
    names = [f"{BASE}:{architecture}" for architecture in ARCHITECTURES]
    found = [_buildah("images", "--quiet", "--no-trunc", name, check=False) for name in names]
    return found if all(found) else []


def build(root: Path, file: Path, version: str, revision: str, wheels: Path, epoch: int) -> None:
    """Builds without a network: from the pulled base images, and from a folder of wheels."""
    name = f"{NAME}:{version}"
    native = json.loads(_buildah("info"))["host"]["arch"]
    once = ["--pull=never", "--layers=false", "--network=none", "--timestamp", str(epoch), "--manifest", name]
    once += ["--identity-label=false"]  # the label names the version of buildah
    _remove(name)
    for architecture in ARCHITECTURES:
        arguments = {
            "BASE": f"{BASE}:{architecture}",
            "BUILD_BASE": f"{BASE}:{native}",
            "BUILDPLATFORM": f"linux/{native}",
            "TARGETPLATFORM": f"linux/{architecture}",
            "REVISION": revision,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "/wheels",
        }
        options = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
        place = ["--platform", f"linux/{architecture}", "--volume", f"{wheels}:/wheels:ro", str(root)]
        _buildah("build", "--quiet", *once, *options, *place)
    with tempfile.TemporaryDirectory() as scratch:
        layout = Path(scratch) / "layout"
        _buildah("manifest", "push", "--all", "--format=oci", name, f"oci:{layout}")
        # buildah's own archives have the times of the build
        files = {found.removeprefix("layout/"): path for found, path in files_below(layout, "layout").items()}
        file.write_bytes(tar(files, epoch))
    _remove(name)


def _remove(name: str) -> None:
    _buildah("manifest", "rm", name, check=False)


def _buildah(*words: str, check: bool = True) -> str:
    if shutil.which("buildah") is None:
        raise NoBuilder("buildah is not installed. Install it, or leave the images out: --without images")
    errors = None if check else subprocess.DEVNULL
    done = subprocess.run(["buildah", *words], check=check, stdout=subprocess.PIPE, stderr=errors, text=True)
    return done.stdout.strip()
