"""helm on a real API server."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.apiserver.binaries import find_binary
from tests.apiserver.client import Client
from tests.deploy.charts import CHART, RELEASE, with_image
from tests.deploy.manifests import NAMESPACE

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Helm:
    """The release of our chart; `folder` keeps what helm would keep in a home folder."""

    client: Client
    folder: Path

    def install(self, values: Mapping[str, Any], *flags: str) -> str:
        """`helm install`, with the namespace."""
        return self("install", RELEASE, str(CHART), "--create-namespace", "--values", "-", *flags, values=values)

    def upgrade(self, values: Mapping[str, Any], *flags: str) -> str:
        """`helm upgrade` to these values and no others."""
        return self("upgrade", RELEASE, str(CHART), "--reset-values", "--values", "-", *flags, values=values)

    def uninstall(self) -> str:
        """`helm uninstall`."""
        return self("uninstall", RELEASE)

    def __call__(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """Runs helm in our namespace and gives what it printed; AssertionError where it does not end with 0."""
        argv = [str(find_binary("helm")), *with_image(arguments), "--namespace", NAMESPACE]
        argv += ["--kubeconfig", str(self.client.kubeconfig())]
        homes = {f"HELM_{name}_HOME": str(self.folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            argv,
            input=None if values is None else json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={**os.environ, **homes},
        )
        assert done.returncode == 0, f"helm {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout
