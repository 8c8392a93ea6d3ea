"""The chart of deploy/helm, as helm renders it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.apiserver.binaries import find_binary
from tests.deploy.manifests import DEPLOY, NAMESPACE, Manifest

CHART = DEPLOY / "helm" / "migratable"
RELEASE = "migratable"
IMAGE = Path(__file__).with_name("image.yaml")

HELMS_OWN_LABELS = (
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
)


def with_image(arguments: Sequence[str]) -> list[str]:
    """The arguments of helm, with a values file that sets the required image. Later values override it."""
    command, *others = arguments
    return [command, *(("--values", str(IMAGE)) if command in ("template", "install", "upgrade") else ()), *others]


def helm(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs helm, whatever comes of it."""
    argv = [str(find_binary("helm")), *with_image(arguments)]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=120)


def refusal(values: Mapping[str, Any], *flags: str) -> str:
    """The error of helm if it does not render the chart with VALUES."""
    done = _template(json.dumps(values), flags)
    assert done.returncode != 0, "helm rendered it"
    return done.stderr


def template(values: Mapping[str, Any], *flags: str, namespace: str = NAMESPACE) -> tuple[Manifest, ...]:
    """Every object of `helm install` with VALUES. Callers must not change them."""
    return _rendered(json.dumps(values), flags, namespace)


def without_helms_labels(manifest: Manifest) -> Manifest:
    """The object without the labels that only Helm writes."""
    metadata = manifest["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if key not in HELMS_OWN_LABELS}
    return manifest | {"metadata": metadata | {"labels": labels}}


@cache
def _rendered(values: str, flags: Sequence[str], namespace: str) -> tuple[Manifest, ...]:
    done = _template(values, (*flags, "--skip-tests"), namespace)
    assert done.returncode == 0, done.stderr
    return tuple(document for document in yaml.safe_load_all(done.stdout) if document is not None)


def _template(values: str, flags: Sequence[str], namespace: str = NAMESPACE) -> subprocess.CompletedProcess[str]:
    return helm("template", RELEASE, str(CHART), "--namespace", namespace, "--values", "-", *flags, stdin=values)
