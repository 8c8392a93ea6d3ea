"""Binaries for the benchmarks, built once by Go from the modules that ``tools/`` and ``contestants/`` name."""

import os
import subprocess
from pathlib import Path

from tests.apiserver.binaries import cache_folder, locked

ROOT = Path(__file__).resolve().parent
PACKAGES = {
    "opa": ("tools/opa-v1.22.2", "github.com/open-policy-agent/opa"),
    "vegeta": ("tools/vegeta-v12.13.0", "github.com/tsenart/vegeta/v12"),
    "gatekeeper": ("tools/gatekeeper-v3.23.1", "github.com/open-policy-agent/gatekeeper/v3"),
    "gator": ("tools/gator-v3.23.1", "github.com/open-policy-agent/gatekeeper/v3/cmd/gator"),
    "conftest": ("tools/conftest-v0.71.1", "github.com/open-policy-agent/conftest"),
    "kubeconform": ("tools/kubeconform-v0.8.0", "github.com/yannh/kubeconform/cmd/kubeconform"),
    "kyverno": ("tools/kyverno-v1.19.1", "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno"),
    "handler": ("contestants/handler", "."),
}
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}


def built(name: str) -> Path:
    """
    The binary NAME; Gatekeeper and Kyverno take ten minutes the first time, the others four or less.

    Raises CalledProcessError where Go or a module is not to be had.
    """
    folder, package = PACKAGES[name]
    target = cache_folder() / "benchmarks" / Path(folder).name / name
    with locked(target):
        if name == "handler" or not target.is_file():  # ours may have changed, and builds in a second
            subprocess.run(
                ["go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", str(target), package],
                cwd=ROOT / folder,
                env={**os.environ, **_ENVIRONMENT},
                check=True,
            )
    return target


def module_folder(name: str) -> Path:
    """Where Go keeps the source of NAME's module, with the manifests that it ships."""
    folder, package = PACKAGES[name]
    done = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", package],
        cwd=ROOT / folder,
        env={**os.environ, **_ENVIRONMENT},
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.strip())
