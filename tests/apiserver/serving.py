"""A real `migratable serve` process in front of a control plane, and its webhook configurations."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.processes import free_ports
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "deploy" / "kustomize" / "base" / "webhooks"
EVICTION_STRATEGY = ROOT / "deploy" / "kustomize" / "components" / "default-eviction-strategy" / "webhook.yaml"


@dataclass
class Serving:
    """A running server."""

    popen: subprocess.Popen[bytes]
    admission_port: int
    api_port: int
    health_port: int
    folder: Path
    log: Path

    def ready(self) -> bool:
        """Whether the readiness probe succeeds. Raises if the process has ended."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"the server ended with {self.popen.returncode}:\n{self.log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self) -> str:
        """The text of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def stop(self) -> None:
        """Ends the process as kubelet does, and at once if it lingers."""
        self.popen.terminate()
        try:
            self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(5)


def begin(
    ca: CertificateAuthority,
    folder: Path,
    *flags: str,
    module: str = "webhook",
    drain_seconds: float = 0.2,
    stderr: int | None = None,
) -> Serving:
    """Starts `migratable serve` with a certificate of `ca`, its log in `folder`; it is not ready yet."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = ca.issue("migratable", server_names=["127.0.0.1", "localhost", "migratable.migratable.svc"])
    (folder / "tls.crt").write_bytes(pair.cert_pem)
    (folder / "tls.key").write_bytes(pair.key_pem)
    admission, api, health = free_ports(3)
    log = folder / "serve.log"
    command = [
        *(sys.executable, "-m", module, "serve", "--cert-dir", str(folder), "--drain-seconds", f"{drain_seconds:g}"),
        *("--admission-port", str(admission), "--api-port", str(api), "--health-port", str(health)),
        *flags,
    ]
    with log.open("wb") as out:
        popen = subprocess.Popen(command, stdout=out, stderr=stderr or out, cwd=ROOT)
    return Serving(popen, admission, api, health, folder, log)


@contextmanager
def running(
    ca: CertificateAuthority, folder: Path, *flags: str, module: str = "webhook", stderr: int | None = None
) -> Iterator[Serving]:
    """As `begin`; ready when the block begins."""
    server = begin(ca, folder, *flags, module=module, stderr=stderr)
    try:
        wait_until(server.ready, PATIENCE_SECONDS, "migratable serve to be ready")
        yield server
    finally:
        if server.popen.stderr is not None:
            server.popen.stderr.close()
        server.stop()


@contextmanager
def serving(plane: ControlPlane, folder: Path, *flags: str, module: str = "webhook") -> Iterator[Serving]:
    """`migratable serve` with facts from the plane; ready when the block begins."""
    with running(plane.ca, folder, "--kubeconfig", str(plane.client.kubeconfig()), *flags, module=module) as server:
        yield server


def install_hooks(
    plane: ControlPlane, server: Serving, *, failure_policy: str = "Fail", timeout_seconds: int | None = None
) -> None:
    """
    The configurations of deploy/kustomize, pointed at `server` by URL; in force when this returns.

    Fail, so that an answer that is none cannot pass for one. A machine that is busy with other tests may need more
    patience than the configurations have, where a test is not about their patience.
    """
    install_hooks_at(plane, server.admission_port, failure_policy=failure_policy, timeout_seconds=timeout_seconds)


def install_hooks_at(
    plane: ControlPlane, port: int, *, failure_policy: str = "Fail", timeout_seconds: int | None = None
) -> None:
    """As `install_hooks`, for the server on `port`."""
    for path in sorted(HOOKS.glob("*.yaml")):
        for configuration in yaml.safe_load_all(path.read_text()):
            if configuration["kind"] == "MutatingWebhookConfiguration":  # as with a policy that gives it work
                configuration["webhooks"] += yaml.safe_load(EVICTION_STRATEGY.read_text())["webhooks"]
            for hook in configuration["webhooks"]:
                served = hook["clientConfig"]["service"]["path"]
                url = f"https://127.0.0.1:{port}{served}"
                hook["clientConfig"] = {"url": url, "caBundle": plane.ca.bundle}
                hook["failurePolicy"] = failure_policy
                hook["timeoutSeconds"] = timeout_seconds or hook["timeoutSeconds"]
            plane.client.create(
                "/apis/admissionregistration.k8s.io/v1/" + configuration["kind"].lower() + "s", configuration
            )
    probe = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"generateName": "probe-", "namespace": "default"},
        "spec": {"domain": {"devices": {"hostDevices": [{"name": "probe", "deviceName": "a/b"}]}}},
    }
    url = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances?dryRun=All"
    wait_until(
        lambda: plane.client.api("POST", url, probe).status == 422, PATIENCE_SECONDS, "the webhook to be in force"
    )


def manifest(*documents: object) -> str:
    """Documents as a YAML stream for `kubectl -f -`."""
    return yaml.safe_dump_all(documents)


def kubectl_apply(
    plane: ControlPlane, *documents: object, flags: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """`kubectl apply -f -`, whatever its outcome."""
    return plane.client.kubectl("apply", "-f", "-", *flags, stdin=manifest(*documents), check=False)
