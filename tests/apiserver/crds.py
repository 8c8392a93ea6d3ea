"""The CustomResourceDefinitions: their names, the paths of their objects, and the key of a server that has them."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

#: The project's own small definitions of KubeVirt's, CDI's and Multus' kinds.
OWN = tuple(sorted((Path(__file__).resolve().parent / "crds").glob("*.yaml")))

#: Where definitions as KubeVirt, CDI and Multus install them may be, one folder a release; too large to keep here.
REAL_PLACE = Path(
    os.environ.get("MIGRATABLE_REAL_CRDS", Path(__file__).resolve().parents[3] / "shared" / "kubevirt" / "crds")
)
REAL_RELEASES = ("kubevirt-v1.9.0", "cdi-v1.66.0", "nad-v1.7.7")
NO_REAL = f"no real CustomResourceDefinitions: set MIGRATABLE_REAL_CRDS to a folder with {', '.join(REAL_RELEASES)}"

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def real() -> tuple[Path, ...]:
    """Every real definition, or none at all where one of the releases is not at hand."""
    folders = [REAL_PLACE / release for release in REAL_RELEASES]
    if not all(folder.is_dir() for folder in folders):
        return ()
    return tuple(file for folder in folders for file in sorted(folder.glob("*.yaml")))


def load(path: Path) -> dict[str, Any]:
    """The one CustomResourceDefinition in the file PATH."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the definitions of a KubeVirt release are 8 MB
    document: dict[str, Any] = yaml.load(path.read_bytes(), Loader=loader)
    return document


def list_path(crd: dict[str, Any]) -> str:
    """The path that lists the objects of CRD, in its storage version."""
    spec = crd["spec"]
    version = next(version["name"] for version in spec["versions"] if version["storage"])
    return f"/apis/{spec['group']}/{version}/{spec['names']['plural']}?limit=1"


def digest(crds: Iterable[Path], binaries: Sequence[Path]) -> str:
    """A name for the etcd data of a server that BINARIES make with CRDS: another file, another name."""
    content = hashlib.sha256()
    for binary in binaries:
        content.update(f"{binary} {binary.stat().st_size} {binary.stat().st_mtime_ns}\n".encode())
    for path in sorted(crds):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]
