#!/usr/bin/env python3
"""
Prints the manifest of the kubectl plugin for krew, from archives that ci/krew.sh has built.

    ci/krew.sh dist                      # on a machine of each kind; the name of the archive tells which
    python3 ci/krew.py v0.1.0 --homepage URL --from URL dist/*.tar.gz > dist/migratable.yaml
    kubectl krew install --manifest=dist/migratable.yaml --archive=dist/kubectl-migratable-linux-amd64.tar.gz

HOMEPAGE is where people read about the plugin, FROM the folder in which the archives can be downloaded.
"""

import argparse
import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PROGRAM = "kubectl-migratable/kubectl-migratable"
LICENSE = "kubectl-migratable/LICENSE"
PACKAGE = "kubectl-migratable/lib/webhook/__init__.py"

_NAME = re.compile(r"kubectl-migratable-(linux|darwin)-(amd64|arm64)\.tar\.gz")
_VERSION = re.compile(r"v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?")
_PYTHON = re.compile(r"needs Python (3\.[0-9]+) on PATH")
_PLACEHOLDER = re.compile(r"(?:^|\.)(?:example(?:\.[a-z]+)?|test|invalid|localhost)$")

MANIFEST = """\
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: migratable
spec:
  version: {version}
  homepage: {homepage}
  shortDescription: Tells whether KubeVirt VMs can be live-migrated
  description: |
    Checks manifests, or what kubectl prints, for everything that keeps KubeVirt
    from live-migrating a virtual machine, and says what to write instead:

      kubectl get vm -A -o yaml | kubectl migratable check -
      kubectl migratable snapshot -o cluster.yaml
  caveats: |
    Needs Python {python} on PATH.
  platforms:
{platforms}"""
PLATFORM = """\
    - selector:
        matchLabels:
          os: {os}
          arch: {arch}
      uri: {uri}
      sha256: {sha256}
      bin: {program}
"""


class UnfitError(Exception):
    """What was given makes no manifest that works; the text says what to do."""


class Archive(NamedTuple):
    """What the manifest says of an archive."""

    os: str
    arch: str
    name: str
    sha256: str
    python: str


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 printed, 1 something does not fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="the release, such as v0.1.0")
    parser.add_argument("--homepage", required=True, metavar="URL")
    parser.add_argument("--from", required=True, metavar="URL", dest="folder")
    parser.add_argument("archives", nargs="+", type=Path)
    given = parser.parse_args(argv)
    try:
        sys.stdout.write(manifest(given.version, given.homepage, given.folder, given.archives))
    except UnfitError as unfit:
        sys.stderr.write(f"krew.py: {unfit}\n")
        return 1
    return 0


def manifest(version: str, homepage: str, folder: str, paths: Sequence[Path]) -> str:
    """The text; raises UnfitError."""
    if not _VERSION.fullmatch(version):
        raise UnfitError(f"{version} is no version that krew takes: write it as v0.1.0")
    _check_url("--homepage", homepage)
    _check_url("--from", folder)
    archives = sorted(_read(path, version) for path in paths)
    for one, other in pairwise(archives):
        if one[:2] == other[:2]:
            raise UnfitError(f"two archives are for {one.os}/{one.arch}: name one")
        if one.python != other.python:
            raise UnfitError(
                f"{one.name} needs Python {one.python}, {other.name} {other.python}: build with one release"
            )
    return MANIFEST.format(
        version=json.dumps(version),
        homepage=json.dumps(homepage),
        python=archives[0].python,
        platforms="".join(_platforms(archives, folder.rstrip("/"))),
    )


def _platforms(archives: Sequence[Archive], folder: str) -> Iterator[str]:
    for each in archives:
        uri = json.dumps(f"{folder}/{each.name}")
        yield PLATFORM.format(os=each.os, arch=each.arch, uri=uri, sha256=json.dumps(each.sha256), program=PROGRAM)


def _check_url(flag: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise UnfitError(f"{flag} {url}: give an https address")
    if _PLACEHOLDER.search(parts.hostname):
        raise UnfitError(f"{flag} {url}: nobody can be reached there; give the real address")


def _read(path: Path, version: str) -> Archive:
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise UnfitError(f"{path}: the name does not tell the platform; ci/krew.sh names archives")
    try:
        content = path.read_bytes()
        with tarfile.open(path) as archive:
            program, package = _text(archive, PROGRAM), _text(archive, PACKAGE)
            is_executable = archive.getmember(PROGRAM).mode & 0o111
            archive.getmember(LICENSE)
    except (OSError, tarfile.TarError, KeyError, UnicodeError) as error:
        raise UnfitError(f"{path}: this is not what ci/krew.sh builds ({error})") from None
    python = _PYTHON.search(program)
    if not is_executable or python is None:
        raise UnfitError(f"{path}: {PROGRAM} is no program; build it anew with ci/krew.sh")
    if f'"{version.removeprefix("v")}"' not in package:
        raise UnfitError(f"{path}: this is another version than {version}; build it anew with ci/krew.sh")
    return Archive(name[1], name[2], path.name, hashlib.sha256(content).hexdigest(), python[1])


def _text(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is no file")
    return member.read().decode()


if __name__ == "__main__":
    sys.exit(main())
