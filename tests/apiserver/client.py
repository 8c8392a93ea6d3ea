"""Access to a control plane for a cluster administrator: plain HTTP, kubectl, and kubeconfig files for any user."""

import base64
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.apiserver.binaries import find_binary
from tests.apiserver.pki import CertificateAuthority, write_private

ADMINISTRATOR = "administrator"
ADMINISTRATORS = ("system:masters",)
REQUEST_SECONDS = 120
KUBECTL_SECONDS = 300
TOKEN_SECONDS = 3600  # a kube-apiserver refuses less than 600


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of the API server: HTTP status, JSON document, texts of its Warning headers."""

    status: int
    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass
class Client:
    """Speaks to the API server at URL, as a member of system:masters unless told otherwise."""

    url: str
    ca: CertificateAuthority
    folder: Path
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False)
    _kubeconfigs: dict[tuple[str, tuple[str, ...]], Path] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        context = ssl.create_default_context(cadata=self.ca.cert_pem.decode())
        pem = self.folder / "administrator.pem"  # the ssl module loads client certificates from files only
        pair = self.ca.issue(ADMINISTRATOR, groups=ADMINISTRATORS)
        write_private(pem, pair.cert_pem + pair.key_pem)
        context.load_cert_chain(pem)
        self._opener = _opener(context)

    def ready(self) -> bool:
        """True once /readyz says so."""
        return _answers_ok(self._opener, f"{self.url}/readyz")

    def api(
        self, method: str, path: str, body: object | None = None, *, content_type: str = "application/json"
    ) -> Reply:
        """One request; an answer of 400 and above is a Reply too."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content_type},
        )
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as response:
                return _reply(response.status, response.read(), response.headers.get_all("Warning", ()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return _reply(refusal.code, refusal.read(), refusal.headers.get_all("Warning", ()))

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Creates BODY at PATH and gives back the stored object; AssertionError where the server refuses it."""
        reply = self.api("POST", path, body)
        assert reply.status == HTTPStatus.CREATED, f"POST {path}: {reply.status} {reply.document.get('message')}"
        return reply.document

    def create_namespace(self, prefix: str = "test") -> str:
        """The name of a new namespace, which nothing removes: its control plane goes first."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def token(self, namespace: str, service_account: str) -> str:
        """A bearer token of a ServiceAccount that exists."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        return str(self.create(path, request)["status"]["token"])

    def kubeconfig(self, user: str = ADMINISTRATOR, groups: Sequence[str] = ADMINISTRATORS) -> Path:
        """A kubeconfig file for USER in GROUPS, known by a client certificate."""
        key = (user, tuple(groups))
        if key not in self._kubeconfigs:
            pair = self.ca.issue(user, groups=groups)
            self._kubeconfigs[key] = self._write_kubeconfig(
                {
                    "client-certificate-data": base64.b64encode(pair.cert_pem).decode(),
                    "client-key-data": base64.b64encode(pair.key_pem).decode(),
                }
            )
        return self._kubeconfigs[key]

    def token_kubeconfig(self, token: str) -> Path:
        """A kubeconfig file for the bearer of TOKEN."""
        return self._write_kubeconfig({"token": token})

    def kubectl(
        self,
        *args: str,
        stdin: str | None = None,
        check: bool = True,
        kubeconfig: Path | None = None,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl; where CHECK is true, AssertionError with its stderr unless it ends with 0."""
        argv = [
            str(find_binary("kubectl")),
            f"--kubeconfig={kubeconfig or self.kubeconfig()}",
            f"--cache-dir={self.folder / 'kubectl-cache'}",  # ports come again with other definitions behind them
            *args,
        ]
        environment = {**os.environ, "KUBERC": "off"}  # a developer's own preferences would change what is printed
        done = subprocess.run(
            argv,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
            timeout=KUBECTL_SECONDS,
            env=environment,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(args)}: exit {done.returncode}\n{done.stderr}"
        return done

    def _write_kubeconfig(self, auth: dict[str, str]) -> Path:
        document = {  # JSON is YAML, so every client reads it
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "test", "cluster": {"server": self.url, "certificate-authority-data": self.ca.bundle}}
            ],
            "users": [{"name": "user", "user": auth}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user", "namespace": "default"}}],
            "current-context": "test",
        }
        path = self.folder / f"{uuid.uuid4().hex[:8]}.kubeconfig"
        write_private(path, json.dumps(document).encode())
        return path


def http_ok(url: str) -> bool:
    """Whether a GET of URL, without TLS, is answered with 200 within two seconds."""
    return _answers_ok(_opener(), url)


def _opener(context: ssl.SSLContext | None = None) -> urllib.request.OpenerDirector:
    """Never by way of a proxy of the environment: what is asked for is on loopback."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _answers_ok(opener: urllib.request.OpenerDirector, url: str) -> bool:
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status == HTTPStatus.OK)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False
    except OSError:
        return False


def _reply(status: int, body: bytes, warnings: Sequence[str]) -> Reply:
    texts = tuple(_warning_text(warning) for warning in warnings)
    try:
        return Reply(status, json.loads(body), texts)
    except ValueError:
        return Reply(status, {"message": body.decode(errors="replace")}, texts)


def _warning_text(header: str) -> str:
    """The text of `299 - "text"` (RFC 7234, section 5.5), its escapes undone."""
    quoted = header.split(" ", 2)[2]
    return quoted[1:-1].replace('\\"', '"').replace("\\\\", "\\")
