"""
`python -m tests.apiserver.pin_kubernetes v1.35.4` writes tools/kube-v1.35.4/go.mod and go.sum.

k8s.io/kubernetes replaces its staging modules by folders of its own repository, and a module that requires it does not
inherit that; so each of them is replaced here by the module that the same release published.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.apiserver.binaries import KNOWN, KUBE, TOOLS

PACKAGES = [tool.package for tool in KNOWN.values() if tool.package.startswith("k8s.io/kubernetes/")]


def main(version: str) -> None:
    """Needs the Go module proxy; releases whose staging modules it lacks fail in `go mod tidy`."""
    folder = TOOLS / f"kube-{version}"
    folder.mkdir(exist_ok=True)
    if version != KNOWN["typecheck"].version:  # a program of ours, built from that release's packages
        shutil.copytree(TOOLS / KUBE / "typecheck", folder / "typecheck", dirs_exist_ok=True)
    (folder / "go.mod").unlink(missing_ok=True)
    module = json.loads(_go(folder, "mod", "download", "-json", f"k8s.io/kubernetes@{version}"))
    upstream = json.loads(_go(folder, "mod", "edit", "-json", module["GoMod"]))
    (folder / "go.mod").write_text(go_mod(version, upstream))
    _go(folder, "mod", "tidy")


def go_mod(version: str, upstream: dict[str, Any]) -> str:
    """The go.mod before `go mod tidy`, from VERSION and the go.mod of that release as `go mod edit -json` shows it."""
    published = "v0." + version.removeprefix("v1.")
    staging = [pair["Old"]["Path"] for pair in upstream["Replace"] if pair["New"]["Path"].startswith("./staging/")]
    return "\n".join(
        [
            "module example.invalid/migratable/kube",
            f"go {upstream['Go']}",
            *(f"tool {package}" for package in PACKAGES),
            f"require k8s.io/kubernetes {version}",
            "replace (",
            *(f"{path} => {path} {published}" for path in staging),
            ")\n",
        ]
    )


def _go(folder: Path, *arguments: str) -> str:
    return subprocess.run(["go", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1])
