"""
A control plane for tests: one etcd and one kube-apiserver on loopback, with CustomResourceDefinitions.

On purpose there is no kubelet, scheduler, controller, DNS or pod that runs. So a deleted namespace stays Terminating
(tests take a new one each), nothing is garbage-collected, and the roles view, edit and admin are empty.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec

from tests.apiserver import crds as definitions
from tests.apiserver.binaries import cache_folder, find_binary, locked
from tests.apiserver.client import Client, http_ok
from tests.apiserver.pki import CertificateAuthority, private_key_pem, write_private
from tests.apiserver.processes import PortTakenError, Process, free_ports, scratch_folder
from tests.waiting import wait_until

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc"
START_ATTEMPTS = 3
SEED_KEPT_DAYS = 14


@dataclass
class ControlPlane:
    """
    `with ControlPlane(crds=OWN) as control_plane:` starts the servers, and ends them however the block ends.

    With CRDS the etcd data of a server that has them is kept in the cache folder and copied on later starts: sixty
    definitions then cost half a second instead of ten. `start_seconds` is how long one server may take to be ready.
    """

    crds: Sequence[Path] = ()
    apiserver_flags: Sequence[str] = ()
    etcd_flags: Sequence[str] = ()
    start_seconds: float = 90.0

    ca: CertificateAuthority = field(default_factory=CertificateAuthority, init=False)
    url: str = field(default="", init=False)
    etcd_url: str = field(default="", init=False)
    folder: Path = field(default=Path(), init=False)
    client: Client = field(init=False)
    processes: dict[str, Process] = field(default_factory=dict, init=False)
    _argv: dict[str, list[str]] = field(default_factory=dict, init=False)
    _ready: dict[str, Callable[[], bool]] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts both servers; returns when every definition is served."""
        seed = self._seed() if self.crds else None
        for attempt in range(1, START_ATTEMPTS + 1):
            try:
                self._start(seed)
            except PortTakenError:
                self.stop()
                if attempt == START_ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """Ends the servers at once and removes their folder; nothing of theirs is worth a clean shutdown."""
        for process in reversed(list(self.processes.values())):
            process.kill()
        self.processes.clear()
        if self.folder != Path():
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def stopped(self, name: str = "kube-apiserver") -> Iterator[None]:
        """Server NAME is away for the block, and back after it on the same port with the same data."""
        self.processes.pop(name).stop()
        try:
            yield
        finally:
            self._begin(name)
            for process in self.processes.values():  # a kube-apiserver is ready again once it has found its etcd
                process.wait_ready(self._ready[process.name], self.start_seconds)

    def restart(self, name: str = "kube-apiserver") -> None:
        """Restarts server NAME, as an upgrade does."""
        with self.stopped(name):
            pass

    def _start(self, seed: Path | None) -> None:
        self.folder = scratch_folder()
        client_port, peer_port, port = free_ports(3)
        self.url = f"https://127.0.0.1:{port}"
        self.etcd_url = etcd_url = f"http://127.0.0.1:{client_port}"
        if seed:
            shutil.copytree(seed, self.folder / "etcd")
        self._argv["etcd"] = [*self._etcd_argv(etcd_url, f"http://127.0.0.1:{peer_port}"), *self.etcd_flags]
        self._ready["etcd"] = lambda: http_ok(f"{etcd_url}/health")
        self._begin("etcd")

        self._argv["kube-apiserver"] = [*self._apiserver_argv(etcd_url, port), *self.apiserver_flags]
        self.client = Client(self.url, self.ca, self.folder)
        self._ready["kube-apiserver"] = self.client.ready
        self._begin("kube-apiserver")
        if seed:
            self._wait_served()

    def _begin(self, name: str) -> None:
        process = Process.begin(name, self._argv[name], self.folder)
        self.processes[name] = process  # before it is ready: stop() must find it if it never gets there
        process.wait_ready(self._ready[name], self.start_seconds)

    def _etcd_argv(self, url: str, peer_url: str) -> list[str]:
        return [
            str(find_binary("etcd")),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            "--unsafe-no-fsync=true",
            "--log-level=warn",
        ]

    def _apiserver_argv(self, etcd_url: str, port: int) -> list[str]:
        pki = self.folder / "pki"
        pki.mkdir()
        (pki / "ca.crt").write_bytes(self.ca.cert_pem)
        names = ("127.0.0.1", "localhost", "kubernetes.default.svc")
        crt, key = self.ca.issue("kube-apiserver", server_names=names).write(pki, "apiserver")
        service_account_key = pki / "service-account.key"
        write_private(service_account_key, private_key_pem(ec.generate_private_key(ec.SECP256R1())))
        return [
            str(find_binary("kube-apiserver")),
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={crt}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
            f"--service-account-key-file={service_account_key}",
            f"--service-account-signing-key-file={service_account_key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            # else a pod needs a ServiceAccount "default", which only a controller would make
            "--disable-admission-plugins=ServiceAccount",
        ]

    def _wait_served(self) -> None:
        """Established is not yet served: for up to a second after it the path still answers 404."""
        waiting = {definitions.list_path(definitions.load(path)) for path in self.crds}

        def all_served() -> bool:
            waiting.difference_update([path for path in waiting if self.client.api("GET", path).status == 200])
            return not waiting

        wait_until(all_served, self.start_seconds, "every CustomResourceDefinition to be served")

    def _seed(self) -> Path:
        """The etcd folder of a server that serves self.crds: made once, then found in the cache folder."""
        binaries = [find_binary("etcd"), find_binary("kube-apiserver")]
        seeds = cache_folder() / "seeds"
        seed = seeds / definitions.digest(self.crds, binaries)
        with locked(seeds / "seed"):
            if not seed.is_dir():
                self._make_seed(seed)
            os.utime(seed)
            _remove_unused_seeds(seeds)
        return seed

    def _make_seed(self, seed: Path) -> None:
        part = seed.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        with ControlPlane(start_seconds=self.start_seconds) as bare:
            for path in self.crds:
                bare.client.create(definitions.PATH, definitions.load(path))
            bare.crds = self.crds
            bare._wait_served()
            bare.processes.pop("kube-apiserver").stop()
            bare.processes.pop("etcd").stop(grace_seconds=20)
            shutil.copytree(bare.folder / "etcd", part)
        part.rename(seed)


def _remove_unused_seeds(folder: Path) -> None:
    oldest = time.time() - SEED_KEPT_DAYS * 86_400
    for seed in folder.iterdir():
        if seed.is_dir() and seed.stat().st_mtime < oldest:
            shutil.rmtree(seed)
