#!/usr/bin/env python3
"""
Prints the krew manifest of the kubectl plugin, from archives that ci/krew.sh built.

    ci/krew.sh dist                      # on each platform; the name of the archive contains it
    python3 ci/krew.py v0.1.0 --homepage URL --from URL dist/*.tar.gz > dist/migratable.yaml
    kubectl krew install --manifest=dist/migratable.yaml --archive=dist/kubectl-migratable-linux-amd64.tar.gz

--homepage is the page of the plugin, and --from is the folder that contains the archives for download.
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
COMPLETION = "kubectl-migratable/kubectl_complete-migratable"
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
  shortDescription: Check whether KubeVirt VMs can be live-migrated
  description: |
    Checks manifests, or the output of kubectl, for all that prevents the live
    migration of KubeVirt VMs, and shows what to write instead:

      kubectl get vm -A -o yaml | kubectl migratable check -
      kubectl migratable snapshot -o cluster.yaml
  caveats: |
    Requires Python {python} on PATH. To complete `kubectl migratable`, link the program for it:

      ln -s ~/.krew/store/migratable/{tag}/{completion} ~/.krew/bin/
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


class InvalidArgument(Exception):
    """The arguments cannot give a valid manifest. The text contains the remedy."""


class Archive(NamedTuple):
    """The entry of an archive in the manifest."""

    os: str
    arch: str
    name: str
    sha256: str
    python: str


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 if it printed a manifest, and 1 for invalid arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="the release, for example v0.1.0")
    parser.add_argument("--homepage", required=True, metavar="URL")
    parser.add_argument("--from", required=True, metavar="URL", dest="folder")
    parser.add_argument("archives", nargs="+", type=Path)
    options = parser.parse_args(argv)
    try:
        sys.stdout.write(manifest(options.version, options.homepage, options.folder, options.archives))
    except InvalidArgument as error:
        sys.stderr.write(f"krew.py: {error}\n")
        return 1
    return 0


def manifest(version: str, homepage: str, folder: str, paths: Sequence[Path]) -> str:
    """The text of the manifest. Raises InvalidArgument."""
    if not _VERSION.fullmatch(version):
        raise InvalidArgument(f"invalid version {version}: use the form v0.1.0")
    _check_url("--homepage", homepage)
    _check_url("--from", folder)
    archives = sorted(_read(path, version) for path in paths)
    for one, other in pairwise(archives):
        if one[:2] == other[:2]:
            raise InvalidArgument(f"two archives for {one.os}/{one.arch}: list only one of them")
        if one.python != other.python:
            raise InvalidArgument(
                f"{one.name} needs Python {one.python} and {other.name} needs {other.python}: build both with one release"
            )
    return MANIFEST.format(
        version=json.dumps(version),
        tag=version,
        completion=COMPLETION,
        homepage=json.dumps(homepage),
        python=archives[0].python,
        platforms="".join(_platforms(archives, folder.rstrip("/"))),
    )


def _platforms(archives: Sequence[Archive], folder: str) -> Iterator[str]:
    for archive in archives:
        uri, sha256 = json.dumps(f"{folder}/{archive.name}"), json.dumps(archive.sha256)
        yield PLATFORM.format(os=archive.os, arch=archive.arch, uri=uri, sha256=sha256, program=PROGRAM)


def _check_url(flag: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise InvalidArgument(f"invalid value {url} of {flag}: use an https URL without query and fragment")
    if _PLACEHOLDER.search(parts.hostname):
        raise InvalidArgument(f"{flag} {url} has a placeholder host: use the real URL")


def _read(path: Path, version: str) -> Archive:
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise InvalidArgument(f"{path}: no platform in the file name; use the name that ci/krew.sh gives")
    try:
        content = path.read_bytes()
        with tarfile.open(path) as archive:
            program, package = _text(archive, PROGRAM), _text(archive, PACKAGE)
            is_executable = archive.getmember(PROGRAM).mode & 0o111
            archive.getmember(COMPLETION)
            archive.getmember(LICENSE)
    except (OSError, tarfile.TarError, KeyError, UnicodeError) as error:
        raise InvalidArgument(f"{path}: not an archive of ci/krew.sh ({error})") from None
    python = _PYTHON.search(program)
    if not is_executable or python is None:
        raise InvalidArgument(f"{path}: {PROGRAM} is not executable; build the archive again with ci/krew.sh")
    if f'"{version.removeprefix("v")}"' not in package:
        raise InvalidArgument(f"{path}: the version is not {version}; build the archive again with ci/krew.sh")
    return Archive(name[1], name[2], path.name, hashlib.sha256(content).hexdigest(), python[1])


def _text(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is not a file")
    return member.read().decode()


if __name__ == "__main__":
    sys.exit(main())
