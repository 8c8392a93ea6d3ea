"""Two serving processes behind a Service, a rotator, and a part of a kubelet, which writes Secrets to files after a delay."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from certs.authority import CertificateAuthority, KeyPair
from certs.bundle import Bundle
from certs.cluster import ConfigurationName
from certs.inspection import inspect_authority, inspect_leaf
from certs.replicas import DnsReplicas
from tests.apiserver.balancer import Balancer
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.load import OBJECT, PATH, is_our_verdict
from tests.apiserver.processes import free_ports
from tests.apiserver.rotation import ADMISSION, AUTHORITY, LEASE, SERVING, Installation, install
from tests.apiserver.serving import HOOKS, ROOT, Serving
from tests.waiting import PATIENCE_SECONDS, wait_until

NAMESPACE = "migratable"
SERVED_NAMES = ("migratable.migratable.svc",)
LAGS = (0.0, 1.0)
"""Seconds after which each replica's files follow the Secret."""
FRESH = "tests.apiserver.fresh_handshakes"
"""The module that replicas run by default: API servers keep connections, which hides a bad certificate for minutes."""


class Kubelets:
    """Writes a Secret's pair into a folder for each replica, as kubelet does: whole, by one rename, and late."""

    def __init__(self, installed: Installation, folders: Sequence[Path]) -> None:
        self._installed = installed
        self._folders = tuple(folders)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._generations = itertools.count()

    def __enter__(self) -> "Kubelets":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def _work(self) -> None:
        due: list[tuple[float, Path, KeyPair]] = []
        last = KeyPair(b"", b"")
        while not self._ended.wait(0.1):
            try:
                pair = self._installed.pair(SERVING)
            except OSError:
                continue
            # kubelet keeps the files it has while the Secret lacks a key that is to become a file
            if pair != last and pair.certificate and pair.key:
                last = pair
                due += [(time.monotonic() + lag, at, pair) for lag, at in zip(LAGS, self._folders, strict=True)]
            for swap in [swap for swap in due if swap[0] <= time.monotonic()]:
                due.remove(swap)
                self._swap(swap[1], swap[2])

    def _swap(self, folder: Path, pair: KeyPair) -> None:
        data = folder / f"..{next(self._generations)}"
        data.mkdir(parents=True)
        (data / "tls.crt").write_bytes(pair.certificate)
        (data / "tls.key").write_bytes(pair.key)
        (folder / "..new").symlink_to(data.name)
        (folder / "..new").rename(folder / "..data")
        for name in ("tls.crt", "tls.key"):
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(f"..data/{name}")


@dataclass
class Rotator:
    """A running `python -m certs rotate`."""

    popen: subprocess.Popen[bytes]
    log: Path

    def end(self) -> None:
        """As a node that loses power does it."""
        self.popen.kill()
        self.popen.wait(10)


@dataclass
class Bench:
    """All of it, running."""

    installed: Installation
    balancer: Balancer
    replicas: list[Serving] = field(default_factory=list)
    rotators: list[Rotator] = field(default_factory=list)
    healed_seconds: float = 0.0
    """How long it took from the rotator's first word until the API server got a verdict."""

    @property
    def plane(self) -> ControlPlane:
        """The API server."""
        return self.installed.plane

    def served(self) -> set[bytes]:
        """The certificates that the replicas serve now."""
        places = [("127.0.0.1", replica.admission_port) for replica in self.replicas]
        return set(DnsReplicas(places, SERVED_NAMES[0]).served().values())

    def rests(self) -> bool:
        """Whether every replica serves the leaf in the Secret, and every caBundle trusts its authority alone."""
        authority, leaf = self.installed.pair(AUTHORITY), self.installed.pair(SERVING)
        own = Bundle.parse(authority.certificate).authorities
        if len(own) != 1 or not leaf.certificate or self.installed.data(SERVING)["ca.crt"] != authority.certificate:
            return False
        if set(self.installed.bundles()) != {authority.certificate}:
            return False
        return self.served() == {leaf.certificate}

    def judges(self) -> bool:
        """Whether an object gets our verdict now."""
        reply = self.plane.client.api("POST", PATH, OBJECT)
        return is_our_verdict(reply.status, reply.document)

    def wait(self, condition: Callable[[], bool], what: str) -> float:
        """Waits for a condition and returns the seconds. The error contains the logs of the rotators."""
        began = time.monotonic()
        try:
            wait_until(condition, PATIENCE_SECONDS, what)
        except TimeoutError as late:
            raise TimeoutError(f"{late}\n{self.logs()}") from late
        return time.monotonic() - began

    def renew_leaf(self) -> float:
        """Make two thirds of the leaf's life be over; the seconds until its successor is served everywhere."""
        authority = CertificateAuthority.load(self.installed.pair(AUTHORITY))
        aged = authority.sign(SERVED_NAMES, datetime.now(UTC) - timedelta(days=5))
        issuer = authority.pair.certificate
        self.installed.fill(SERVING, {"tls.crt": aged.certificate, "tls.key": aged.key, "ca.crt": issuer})
        return self.wait(
            lambda: self.installed.pair(SERVING) != aged and self.rests(), "the leaf's renewal to end everywhere"
        )

    def replace_authority(self) -> float:
        """Empties the authority's Secret, so that a new one is made. Returns the seconds until only the new one is trusted."""
        before = self.installed.pair(AUTHORITY)
        self.installed.fill(AUTHORITY, {})
        return self.wait(
            lambda: self.installed.pair(AUTHORITY) != before and self.rests(), "the change of authority to end"
        )

    def is_well(self) -> bool:
        """Whether both Secrets have valid certificates, which a replica may not serve yet."""
        now = datetime.now(UTC)
        authority, leaf = self.installed.pair(AUTHORITY), self.installed.pair(SERVING)
        if not inspect_authority(authority, now).is_good:
            return False
        known = Bundle.parse(self.installed.data(SERVING).get("ca.crt", b"")).authorities
        return inspect_leaf(leaf, now, SERVED_NAMES, known).is_good

    def logs(self) -> str:
        """The ends of the rotators' logs."""
        return "\n".join("\n".join(one.log.read_text().splitlines()[-12:]) for one in self.rotators)

    def start_rotator(self, folder: Path) -> Rotator:
        """With the account's own rights, and times that suit a bench."""
        log = folder / f"rotator-{len(self.rotators)}.log"
        places = [f"127.0.0.1:{one.admission_port}" for one in self.replicas]
        command = [sys.executable, "-m", *rotate_arguments(self.installed, places)]
        with log.open("wb") as out:
            rotator = Rotator(subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT), log)
        self.rotators.append(rotator)
        return rotator


def rotate_arguments(installed: Installation, replicas: Sequence[str]) -> list[str]:
    """Module and flags of a rotator for these replicas, with short times."""
    flags = {"validatingwebhookconfigurations": "--validating", "mutatingwebhookconfigurations": "--mutating"}
    return [
        *("certs", "rotate", "--kubeconfig", str(installed.kubeconfig)),
        *("--namespace", NAMESPACE, "--authority-secret", AUTHORITY, "--serving-secret", SERVING),
        *("--service", "migratable", "--lease", LEASE, "--lease-duration", "2s"),
        *("--bundle-settle", "0.6s", "--leaf-settle", "0.6s", "--interval", "0.3s"),
        *itertools.chain(*((flags[one.resource], one.name) for one in installed.configurations)),
        *itertools.chain(*(("--replicas", place) for place in replicas)),
    ]


def service_hooks(port: int) -> list[dict[str, Any]]:
    """
    The configurations of deploy/kustomize, which name a Service.

    Fail, so that no answer cannot pass for one; and patient, because a machine that is busy with other tests is none.
    """
    documents = [document for path in sorted(HOOKS.glob("*.yaml")) for document in yaml.safe_load_all(path.read_text())]
    return at_port(documents, port)


def at_port(documents: list[dict[str, Any]], port: int) -> list[dict[str, Any]]:
    """Configurations whose Service listens here, which fail closed and are patient."""
    for hook in itertools.chain(*(document["webhooks"] for document in documents)):
        hook["clientConfig"]["service"]["port"] = port
        hook["failurePolicy"] = "Fail"
        hook["timeoutSeconds"] = 30
    return documents


@contextmanager
def bench(plane: ControlPlane, folder: Path, first: tuple[KeyPair, KeyPair], *, module: str = FRESH) -> Iterator[Bench]:
    """
    Everything runs and rests when the block begins.

    It began with FIRST, an authority and a leaf, in Secrets, files and caBundles: whatever these are, it got well.
    The replicas are processes of MODULE.
    """
    ports = [free_ports(3) for _ in LAGS]
    with ExitStack() as stack:
        balancer = stack.enter_context(Balancer([admission for admission, _, _ in ports]))
        installed = _install(plane, balancer.port)
        authority, leaf = first
        installed.fill(AUTHORITY, {"tls.crt": authority.certificate, "tls.key": authority.key})
        installed.fill(SERVING, {"tls.crt": leaf.certificate, "tls.key": leaf.key, "ca.crt": authority.certificate})
        installed.publish(authority.certificate)
        ready = Bench(installed, balancer)
        folders = [folder / f"replica-{number}" for number in range(len(LAGS))]
        stack.enter_context(Kubelets(installed, folders))
        for at, (admission, api, health) in zip(folders, ports, strict=True):
            wait_until((at / "tls.key").exists, PATIENCE_SECONDS, "the first certificate to become a file")
            replica = _start_replica(plane, at, admission, api, health, module)
            ready.replicas.append(replica)
            stack.callback(replica.stop)
        for replica in ready.replicas:
            wait_until(replica.ready, PATIENCE_SECONDS, "migratable serve to be ready")
        stack.callback(lambda: [one.end() for one in ready.rotators])
        rotator = ready.start_rotator(folder)
        ready.wait(lambda: bool(rotator.log.read_text()), "the rotator to begin")
        ready.healed_seconds = ready.wait(ready.judges, "the first verdict")
        ready.wait(ready.rests, "all to be well")
        yield ready


def _install(plane: ControlPlane, port: int) -> Installation:
    client = plane.client
    client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    service = {"type": "ExternalName", "externalName": "localhost"}
    client.create(
        f"/api/v1/namespaces/{NAMESPACE}/services",
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "migratable"}, "spec": service},
    )
    names = []
    for document in service_hooks(port):
        names.append(ConfigurationName(document["kind"].lower() + "s", document["metadata"]["name"]))
        client.create(f"{ADMISSION}/{names[-1].resource}", document)
    return install(plane, NAMESPACE, names)


def _start_replica(plane: ControlPlane, folder: Path, admission: int, api: int, health: int, module: str) -> Serving:
    log = folder.with_suffix(".log")
    command = [
        *(sys.executable, "-m", module, "serve", "--cert-dir", str(folder)),
        *("--admission-port", str(admission), "--api-port", str(api), "--health-port", str(health)),
        *("--kubeconfig", str(plane.client.kubeconfig()), "--drain-seconds", "0.2"),
    ]
    with log.open("wb") as out:
        popen = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
    return Serving(popen, admission, api, health, folder, log)
