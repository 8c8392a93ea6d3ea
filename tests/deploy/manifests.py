"""The manifests of deploy/kustomize, as written and as kustomize renders them."""

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.apiserver import crds
from tests.apiserver.binaries import find_binary

Manifest = dict[str, Any]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
KUSTOMIZE = DEPLOY / "kustomize"
BASE = KUSTOMIZE / "base"
OVERLAYS = ("audit", "warn", "enforce")

NAMESPACE = "migratable"
OURS = "app.kubernetes.io/name=migratable"


@cache
def rendered(folder: str) -> tuple[Manifest, ...]:
    """Every object of deploy/kustomize/FOLDER. Callers must not change them."""
    return built(KUSTOMIZE / folder)


def built(folder: Path) -> tuple[Manifest, ...]:
    """Every object of a folder with a kustomization.yaml."""
    argv = [str(find_binary("kubectl")), "kustomize", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return tuple(yaml.safe_load_all(done.stdout))


def built_with(folder: Path, components: Sequence[str], base: str = "overlays/enforce") -> tuple[Manifest, ...]:
    """Every object of an overlay with these components, as a user combines them; ``folder`` gets the kustomization."""

    def there(path: str) -> str:
        return os.path.relpath(KUSTOMIZE / path, folder)

    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [there(base)],
        "components": [there(f"components/{component}") for component in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return built(folder)


def overlay(name: str) -> tuple[Manifest, ...]:
    """Every object of an overlay."""
    return rendered(f"overlays/{name}")


def find(objects: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The one object of that kind and name."""
    (wanted,) = (manifest for manifest in objects if (manifest["kind"], manifest["metadata"]["name"]) == (kind, name))
    return wanted


def of_kind(objects: tuple[Manifest, ...], *kinds: str) -> list[Manifest]:
    """The objects of these kinds."""
    return [manifest for manifest in objects if manifest["kind"] in kinds]


def written(path: str) -> Manifest:
    """The one document in a file of the base."""
    document: Manifest = yaml.safe_load((BASE / path).read_text())
    return document


CRDS = (*crds.OWN, *sorted((Path(__file__).resolve().parent / "crds").glob("*.yaml")))
"""The project's own definitions, and those of what the other components install."""
REPORT_CRDS = tuple(sorted((Path(__file__).resolve().parents[1] / "audit" / "crds").glob("*.yaml")))
"""Definitions of both kinds of reports."""
