"""
Runs the pods of an installation as processes of this machine: what a kubelet does, without containers.

Command, arguments, environment, volumes and account are those of the pod, as the API server has them. Where a container
would differ from a process, something else is put in its place: ports are free ones, mounted folders lie in a scratch
folder, the token is in a kubeconfig, and names of Services lead to these processes (`dns/sitecustomize.py`).
"""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apiserver.client import Client, http_ok
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import free_ports
from tests.deploy.manifests import Manifest
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
DNS = Path(__file__).resolve().parent / "dns"
PROGRAMS = {"python": [sys.executable], "migratable": [sys.executable, "-m", "webhook"]}
ENTRY_POINT = "migratable"
SECONDS = 60


def own_address() -> str:
    """
    An address of this machine that is not loopback, which an EndpointSlice may not hold; nothing is sent.

    Empty where there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # of a network for documentation, so by the default route
        except OSError:
            return ""
        address = str(asking.getsockname()[0])
    return "" if address.startswith("127.") else address


@dataclass
class Pod:
    """A container of a pod that runs as a process."""

    spec: Manifest
    popen: subprocess.Popen[bytes]
    ports: dict[str, int]
    log: Path

    def ready(self) -> bool:
        """The result of its readiness probe. Raises if the process has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"the process ended with {self.popen.returncode}:\n{self.said()}")
        probe = self.spec["containers"][0].get("readinessProbe", {}).get("httpGet")
        return probe is None or http_ok(f"http://127.0.0.1:{self.ports[probe['port']]}{probe['path']}")

    def said(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-4000:]


@dataclass
class Kubelet:
    """The one node of a cluster."""

    plane: ControlPlane
    folder: Path
    namespace: str
    pods: dict[str, Pod] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    """HOST:PORT of a Service, and where it is on this machine."""

    @property
    def client(self) -> Client:
        return self.plane.client

    def path(self, resource: str, name: str = "", group: str = "api/v1") -> str:
        return f"/{group}/namespaces/{self.namespace}/{resource}" + (f"/{name}" if name else "")

    def url(self, service: str, port: int, path: str) -> str:
        """Where a port of a Service is on this machine."""
        return f"https://{self.hosts[f'{service}.{self.namespace}.svc:{port}']}{path}"

    def start(self, deployment: str) -> Pod:
        """Runs one pod of a Deployment, and waits until it is ready."""
        stored = self.client.api("GET", self.path("deployments", deployment, "apis/apps/v1")).document
        pod = self.pods[deployment] = self._run(deployment, stored["spec"]["template"]["spec"])
        wait_until(pod.ready, SECONDS, f"{deployment} to be ready")
        return pod

    def stop(self, name: str) -> None:
        """Ends a pod as kubelet does."""
        popen = self.pods.pop(name).popen
        popen.terminate()
        try:
            popen.wait(20)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait(5)

    def stop_all(self) -> None:
        for name in list(self.pods):
            self.stop(name)

    def publish(self, service: str, pod: Pod) -> None:
        """Lets a Service lead to a pod: for API servers by an EndpointSlice, for our own processes by name."""
        stored = self.client.api("GET", self.path("services", service)).document
        address, ports = own_address(), []
        for port in stored["spec"]["ports"]:
            here = pod.ports[port["targetPort"]]
            ports.append({"name": port["name"], "port": here, "protocol": "TCP"})
            self.hosts[f"{service}.{self.namespace}.svc:{port['port']}"] = f"{address}:{here}"
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": f"{service}-here", "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": ports,
        }
        path = self.path("endpointslices", group="apis/discovery.k8s.io/v1")
        if self.client.api("PUT", f"{path}/{service}-here", slice_).status != 200:
            self.client.create(path, slice_)

    def run_to_the_end(self, name: str) -> str:
        """Runs a pod that was created, writes how it ended into its status, and gives what it said."""
        spec = self.client.api("GET", self.path("pods", name)).document["spec"]
        pod = self._run(name, spec)
        code = pod.popen.wait(SECONDS)
        status = {"phase": "Failed" if code else "Succeeded", "message": pod.said()[-500:]}
        path = self.path("pods", name) + "/status"
        self.client.api("PATCH", path, {"status": status}, content_type="application/merge-patch+json")
        return pod.said()

    def run_job(self, cron_job: str, *, index: int | None = None) -> tuple[int, str]:
        """Runs a pod of a CronJob, with an index of an Indexed Job. Returns its exit status and the end of its output."""
        stored = self.client.api("GET", self.path("cronjobs", cron_job, "apis/batch/v1")).document
        spec = stored["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        if index is not None:
            (container,) = spec["containers"]
            container.setdefault("env", []).append({"name": "JOB_COMPLETION_INDEX", "value": str(index)})
        pod = self._run(cron_job, spec)
        return pod.popen.wait(SECONDS), pod.said()

    def _run(self, name: str, spec: Manifest) -> Pod:
        (container,) = spec["containers"]
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        volumes = {volume["name"]: self._volume(folder, volume, spec) for volume in spec.get("volumes", ())}
        named = {declared["name"]: declared["containerPort"] for declared in container.get("ports", ())}
        ports = dict(zip(named, free_ports(len(named)), strict=True))
        places = {mount["mountPath"]: str(volumes[mount["name"]]) for mount in container.get("volumeMounts", ())}
        numbers = {str(there): str(ports[port]) for port, there in named.items()}
        command = [*container.get("command", [ENTRY_POINT]), *container.get("args", ())]
        variables = self._variables(container)
        argv = [_here(_expanded(word, variables), places, numbers) for word in command]
        argv[:1] = PROGRAMS[argv[0]]
        if "token" in volumes:
            kubeconfig = f"--kubeconfig={volumes['token'] / 'kubeconfig'}"
            argv = [kubeconfig if word == "--in-cluster" else word for word in argv]
            argv += [kubeconfig] if kubeconfig not in argv else []
        log = folder / "log"
        with log.open("wb") as out:
            popen = subprocess.Popen(argv, stdout=out, stderr=out, cwd=ROOT, env=self._environment(container))
        return Pod(spec, popen, ports, log)

    def _environment(self, container: Manifest) -> dict[str, str]:
        variables = self._variables(container)
        shim = {"PYTHONPATH": f"{DNS}:{ROOT}", "MIGRATABLE_TEST_HOSTS": json.dumps(self.hosts)}
        return {**os.environ, **shim, **variables}

    def _variables(self, container: Manifest) -> dict[str, str]:
        """The container's own; of a pod's fields only its namespace is asked for."""
        return {variable["name"]: variable.get("value", self.namespace) for variable in container.get("env", ())}

    def _volume(self, folder: Path, volume: Manifest, spec: Manifest) -> Path:
        if "persistentVolumeClaim" in volume:  # all pods have the same files
            folder, volume = self.folder / "claims", {"name": volume["persistentVolumeClaim"]["claimName"]}
        place = folder / str(volume["name"])
        place.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            self._write(place, "secrets", volume["secret"]["secretName"], volume["secret"].get("items"))
        elif "configMap" in volume:
            self._write(place, "configmaps", volume["configMap"]["name"], volume["configMap"].get("items"))
        elif "projected" in volume:
            token = self.client.token(self.namespace, spec["serviceAccountName"])
            shutil.move(self.client.token_kubeconfig(token), place / "kubeconfig")
        return place

    def _write(self, place: Path, resource: str, name: str, items: list[dict[str, str]] | None) -> None:
        """A pod does not start before all that it mounts is there."""
        wanted = None if items is None else {item["key"] for item in items}

        def content() -> dict[str, Any] | None:
            content = self.client.api("GET", self.path(resource, name)).document.get("data") or {}
            return content if wanted is None or wanted <= content.keys() else None

        data: dict[str, Any] = wait_until(content, SECONDS, f"{name} to hold {wanted}") or {}
        for key in wanted or data:
            text = data[key].encode() if resource == "configmaps" else base64.b64decode(data[key])
            (place / key).write_bytes(text)


def _expanded(word: str, variables: dict[str, str]) -> str:
    """An argument with ``$(NAME)`` in it, as a kubelet passes it."""
    for name, value in variables.items():
        word = word.replace(f"$({name})", value)
    return word


def _here(word: str, places: dict[str, str], ports: dict[str, str]) -> str:
    """An argument with the test's paths and ports. A path is the whole argument or the value of a flag."""
    for there, here in sorted(places.items(), reverse=True):
        word = re.sub(
            rf"^(--[a-z-]+=(?:json=)?)?{re.escape(there)}(?=/|$)", rf"\g<1>{here}" if "=" in word else here, word
        )
    return re.sub(r"^(--(?:[a-z]+-)?port=)(\d+)$", lambda match: match[1] + ports.get(match[2], match[2]), word)


@contextmanager
def kubelet(plane: ControlPlane, folder: Path, namespace: str) -> Iterator[Kubelet]:
    """A kubelet whose pods end with the block."""
    running = Kubelet(plane, folder, namespace)
    try:
        yield running
    finally:
        running.stop_all()
