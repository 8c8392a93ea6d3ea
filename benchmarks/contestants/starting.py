"""How each server is started on one core, and the path that it takes reviews at."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from benchmarks.building import built, module_folder
from benchmarks.measuring import begin
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import free_ports
from tests.waiting import wait_until

HERE = Path(__file__).resolve().parent
LIVE, AT_HAND = "migratable, claims read live", "migratable, claims at hand"
CONSTANT = "uvicorn, constant answer"
GO, OPA = "Go net/http, five checks", "OPA server, five checks"


@dataclass(frozen=True, slots=True)
class Place:
    """Where contestants meet: a folder with ``tls.crt``, ``tls.key`` and ``claims.json``, and a cluster."""

    folder: Path
    plane: ControlPlane

    @property
    def certificate(self) -> Path:
        """The serving certificate."""
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        """Its private key."""
        return self.folder / "tls.key"

    @property
    def claims(self) -> Path:
        """Access modes by ``namespace/name``."""
        return self.folder / "claims.json"


Started: TypeAlias = tuple[subprocess.Popen[bytes], str]
Start: TypeAlias = Callable[[Place, int, int, Path], Started]
"""From the place, a core, a port and a log file to the process and the path that takes reviews."""


def ours(python: str = sys.executable) -> Start:
    """``migratable serve`` with facts from the cluster: all rules, findings, metrics, limits."""

    def start(place: Place, core: int, port: int, log: Path) -> Started:
        api, health = free_ports(2)
        argv = [
            *(python, "-m", "webhook", "serve", "--cert-dir", place.folder, "--admission-port", port),
            *("--api-port", api, "--health-port", health, "--kubeconfig", place.plane.client.kubeconfig()),
            *("--drain-seconds", "0.1"),
        ]
        return begin(core, argv, log), "/validate?timeout=10s"

    return start


def _at_hand(place: Place, core: int, port: int, log: Path) -> Started:
    """``migratable serve`` with facts from manifests: the same without a look past the cache, as the others have none."""
    folder = place.folder / "facts"
    folder.mkdir()
    items = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": dict(zip(("namespace", "name"), name.split("/"), strict=True)),
            "spec": {"accessModes": modes},
        }
        for name, modes in json.loads(place.claims.read_text()).items()
    ]
    kubevirt = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    }
    (folder / "all.yaml").write_text(yaml.safe_dump_all([*items, kubevirt]))
    api, health = free_ports(2)
    argv = [
        *(sys.executable, "-m", "webhook", "serve", "--cert-dir", place.folder, "--admission-port", port),
        *("--api-port", api, "--health-port", health, "--facts", folder, "--drain-seconds", "0.1"),
    ]
    return begin(core, argv, log), "/validate?timeout=10s"


def _uvicorn(application: str) -> Start:
    def start(place: Place, core: int, port: int, log: Path) -> Started:
        argv = [
            *(sys.executable, "-m", "uvicorn", f"benchmarks.contestants.{application}", "--port", port),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
            *("--ssl-certfile", place.certificate, "--ssl-keyfile", place.key, "--timeout-keep-alive", 120),
        ]
        return begin(core, argv, log, {"CLAIMS": str(place.claims)}), "/validate"

    return start


def _handler(place: Place, core: int, port: int, log: Path) -> Started:
    flags = ["-addr", f"127.0.0.1:{port}", "-cert", place.certificate, "-key", place.key, "-claims", place.claims]
    return begin(core, [built("handler"), *flags], log), "/validate"


def _opa(place: Place, core: int, port: int, log: Path) -> Started:
    data = place.folder / "opa.json"
    data.write_text(json.dumps({"claims": json.loads(place.claims.read_text())}))
    argv = [
        *(built("opa"), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error"),
        *("--disable-telemetry", "--tls-cert-file", place.certificate, "--tls-private-key-file", place.key),
        *(HERE / "opa" / "policy.rego", data),
    ]
    return begin(core, argv, log), "/"


def _gatekeeper(place: Place, core: int, port: int, log: Path) -> Started:
    """The released binary with the definitions that it ships, outside of a pod, as its ``--debug-use-fake-pod`` allows."""
    binary, client = built("gatekeeper"), place.plane.client
    shipped = yaml.safe_load_all((module_folder("gatekeeper") / "deploy" / "gatekeeper.yaml").read_text())
    for manifest in shipped:
        if manifest["kind"] in ("Namespace", "CustomResourceDefinition"):
            client.create(path_of(manifest), manifest)
    health, metrics = free_ports(2)
    argv = [
        *(
            binary,
            "--operation=webhook",
            "--operation=generate",
            "--host=127.0.0.1",
            f"--port={port}",
            f"--cert-dir={place.folder}",
        ),
        *(
            "--disable-cert-rotation",
            "--debug-use-fake-pod",
            f"--health-addr=127.0.0.1:{health}",
            f"--prometheus-port={metrics}",
        ),
        *("--disable-opa-builtin={http.send}", "--log-level=ERROR"),
    ]
    environment = {
        "KUBECONFIG": str(client.kubeconfig()),
        "POD_NAME": "gatekeeper",
        "POD_NAMESPACE": "gatekeeper-system",
    }
    popen = begin(core, argv, log, environment)
    for name in ("template", "constraint", "sync"):
        _create_when_served(place, yaml.safe_load((HERE / "gatekeeper" / f"{name}.yaml").read_text()))
    return popen, "/v1/admit"


def path_of(manifest: Mapping[str, Any]) -> str:
    """Where a cluster-scoped object is created."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    plural = manifest["kind"].lower() + ("" if manifest["kind"] == "Migratable" else "s")
    return f"/apis/{group}/{version}/{plural}" if group else f"/api/{version}/{plural}"


def _create_when_served(place: Place, manifest: Mapping[str, Any]) -> None:
    """A constraint's kind is defined by Gatekeeper once it has compiled the template."""
    wait_until(
        lambda: place.plane.client.api("POST", path_of(manifest), manifest).status == 201,
        60,
        f"{manifest['kind']} to be served",
    )


ALL: Mapping[str, Start] = {
    LIVE: ours(),
    AT_HAND: _at_hand,
    CONSTANT: _uvicorn("bare:constant"),
    "uvicorn, five checks": _uvicorn("bare:five_checks"),
    "FastAPI route, five checks": _uvicorn("route:app"),
    GO: _handler,
    OPA: _opa,
    "Gatekeeper, five checks": _gatekeeper,
}
"""Ours first: ratios are to them."""
