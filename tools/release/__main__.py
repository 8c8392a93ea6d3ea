"""
`python -m tools.release download` fetches wheels, and `build` makes the files of a release without a network.

`build` refuses a tree with changes: the files belong to a commit.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import owner
from tools.release import archives, chart, images, sboms
from webhook import __version__

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "build" / "wheels"
BASES = ROOT / "build" / "base-images"
"""The name of the base image, and the ids of its images of both platforms."""
DIST = ROOT / "dist"
CHART = ROOT / "deploy" / "helm" / "migratable"
BASE = "docker.io/library/python:3.13-slim-bookworm"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
LOCKS = ("server", "build")
PARTS = ("package", "chart", "plugin", "images", "sbom")


class NotReleasable(Exception):
    """The tree or the computer cannot give a release."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 for a tree with changes, or a missing program."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Builds a release into dist.")
    parser.add_argument("command", choices=("download", "build"))
    parser.add_argument("--without", action="append", default=[], choices=PARTS, help="leave a part out; repeatable")
    parser.add_argument("--base", default=BASE, help=f"the base image (default: {BASE})")
    parser.add_argument("--python", default="3.13", help="Python of the base image and of the plugin (default: 3.13)")
    parser.add_argument("--dist", type=Path, default=DIST)
    page = owner.homepage((ROOT / owner.PROJECT).read_text(encoding="utf-8"))
    parser.add_argument("--homepage", default=page, help=f"page of the project, for krew (default: {page})")
    parser.add_argument(
        "--address", help="folder of the downloads, for krew (default: releases/download/vVERSION below it)"
    )
    options = parser.parse_args(arguments)
    options.address = options.address or f"{options.homepage.rstrip('/')}/releases/download/v{__version__}"
    try:
        if options.command == "download":
            download(options)
        else:
            build(options)
    except (NotReleasable, images.NoBuilder, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def download(options: argparse.Namespace) -> None:
    """Downloads the base images and the wheels, unless this tree has them. A second build needs no network."""
    if "images" not in options.without and _noted(BASES) != [options.base, *images.pulled()]:
        images.pull(options.base)
        _note(BASES, [options.base, *images.pulled()])
    locks = [(ROOT / "requirements" / f"{lock}.txt").read_bytes() for lock in LOCKS]
    wanted = [options.python, *(hashlib.sha256(lock).hexdigest() for lock in locks)]
    if _noted(WHEELS / "DOWNLOADED") != wanted:
        download_wheels(options.python)
        _note(WHEELS / "DOWNLOADED", wanted)


def download_wheels(python: str) -> None:
    """The wheels of the locks for both platforms, checked against their hashes."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    for machine in MACHINES.values():
        tags = [f"--platform=manylinux_{level}_{machine}" for level in ("2_28", "2_17")]
        wanted = [*tags, f"--platform=manylinux2014_{machine}", f"--python-version={python}", "--only-binary=:all:"]
        for lock in LOCKS:
            requirements = f"{ROOT}/requirements/{lock}.txt"
            _python("-m", "pip", "download", "-q", "--require-hashes", *wanted, "-d", str(WHEELS), "-r", requirements)


def build(options: argparse.Namespace) -> None:
    """Each part, and the checksums of all files."""
    revision, epoch = commit()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    dist: Path = options.dist.absolute()
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    parts = [part for part in PARTS if part not in options.without]
    if "package" in parts:
        _python("-m", "hatchling", "build", "--target", "sdist", "--target", "wheel", "--directory", str(dist))
    if "chart" in parts:
        content = chart.packed(CHART, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), epoch)
        (dist / f"migratable-{__version__}.tgz").write_bytes(content)
        layout = archives.chart_layout(chart.metadata(CHART), content, epoch)
        (dist / f"migratable-chart-{__version__}.oci.tar").write_bytes(layout)
    if "plugin" in parts:
        plugin(dist, options)
    if "images" in parts:
        file = dist / f"migratable-image-{__version__}.oci.tar"
        images.build(ROOT, file, __version__, revision, WHEELS, epoch)
    if "sbom" in parts:
        minor = int(options.python.partition(".")[2])
        lock, wheels = ROOT / "requirements" / "server.txt", sboms.wheels_in(WHEELS)
        for arch, machine in MACHINES.items():
            text = sboms.sbom(lock, __version__, epoch, wheels, machine=machine, python=(3, minor))
            (dist / f"migratable-{__version__}-linux-{arch}.cdx.json").write_text(text, encoding="utf-8")
    checksums(dist)
    if owner.PLACEHOLDER in (ROOT / owner.PROJECT).read_text(encoding="utf-8"):
        sys.stderr.write(
            f"note: the addresses contain {owner.PLACEHOLDER}. Set Homepage in {owner.PROJECT}, and run `make docs`.\n"
        )


def plugin(dist: Path, options: argparse.Namespace) -> None:
    """The archives for krew, and their manifest."""
    wheels = list(dist.glob("*.whl"))
    if not wheels:
        raise NotReleasable("the plugin contains the package: do not leave the part package out")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS), "KREW_PACKAGE": str(wheels[0])}
    for arch in MACHINES:
        target = {"KREW_PLATFORM": f"linux-{arch}", "KREW_PYTHON": options.python, "PYTHON": sys.executable}
        environment = {**os.environ, **offline, **target}
        subprocess.run(
            [str(ROOT / "ci" / "krew.sh"), str(dist)], check=True, env=environment, stdout=subprocess.DEVNULL
        )
    words = [f"v{__version__}", "--homepage", options.homepage, "--from", options.address]
    found = sorted(str(path) for path in dist.glob("kubectl-migratable-*.tar.gz"))
    command = [sys.executable, str(ROOT / "ci" / "krew.py"), *words, *found]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    (dist / "migratable.yaml").write_text(done.stdout, encoding="utf-8")


def commit() -> tuple[str, int]:
    """The hash and the time of the commit. Raises NotReleasable for a tree with changes."""
    if _git("status", "--porcelain"):
        raise NotReleasable("the tree has changes. Commit them: a release is built from a commit")
    return _git("rev-parse", "HEAD"), int(_git("log", "-1", "--format=%ct"))


def checksums(dist: Path) -> None:
    """`sha256sum --check SHA256SUMS` verifies the files."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(dist.iterdir())]
    (dist / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _noted(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def _note(file: Path, lines: Sequence[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines), encoding="utf-8")


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _python(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
