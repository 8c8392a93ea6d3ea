"""A running server whose whole output is kept, and the reviews that are sent to it."""

import http.client
import json
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.serving import Serving
from tests.surfaces.admission.reviews import TENANT, claim, vm

Manifest = dict[str, Any]

CANARY = "CANARY-6f1c"
"""Stands wherever secrets stand: in user data, tokens, annotations; it must come back from nowhere."""
HOLE = '"@@"'
"""The text that ``pierced`` replaces in the JSON of a review."""
SECONDS = 300
"""A deadline that only a hang reaches."""

AROUND: list[Manifest] = [
    claim("shared", "ReadWriteMany"),
    claim("single", "ReadWriteOnce"),
    {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {"name": "junk", "namespace": TENANT},
        "revision": 1,
        "data": {"spec": {"cpu": CANARY}},
    },
]
"""The objects that the server knows."""


def secretive(**changes: Any) -> Manifest:
    """A VM that can be live-migrated and is full of what must not be told."""
    made = vm(**changes)
    made["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"password": CANARY}),
        "example.org/token": CANARY,
    }
    spec = made["spec"]["template"]["spec"]
    spec["volumes"] = [
        *spec.get("volumes", []),
        {"name": "seed", "cloudInitNoCloud": {"userData": f"#cloud-config\npassword: {CANARY}\n"}},
        {"name": "drive", "cloudInitConfigDrive": {"networkData": CANARY, "userDataBase64": CANARY}},
        {"name": "answers", "sysprep": {"secret": {"name": CANARY}}},
    ]
    spec["accessCredentials"] = [{"userPassword": {"source": {"secret": {"secretName": CANARY}}}}]
    return made


def pierced(body: bytes, raw: str | bytes) -> bytes:
    """The body with raw bytes in the place of its hole."""
    hole = HOLE.encode()
    assert body.count(hole) >= 1
    return body.replace(hole, raw if isinstance(raw, bytes) else raw.encode())


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """JSON of that many levels."""
    return opening * depth + closing * depth


def without_lead(message: str) -> str:
    """A cause's message without the sentence that opens a denial."""
    return re.sub(r"^Migratable refuses .*? Reason: ", "", message)


@dataclass
class Told:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def response(self) -> Manifest:
        """``response`` of an AdmissionReview."""
        answer: Manifest = json.loads(self.body)["response"]
        return answer

    @property
    def causes(self) -> dict[str, str]:
        """Messages by field, of a denial."""
        response = self.response
        assert response["allowed"] is False, response
        assert response["status"]["code"] == 422
        assert response["status"]["reason"] == "Invalid"
        return {cause["field"]: without_lead(cause["message"]) for cause in response["status"]["details"]["causes"]}

    @property
    def warnings(self) -> list[str]:
        """Of an allowed request."""
        response = self.response
        assert response["allowed"] is True, response
        return list(response.get("warnings", []))

    @property
    def problem(self) -> Manifest:
        """problem+json of the API."""
        assert self.headers["content-type"] == "application/problem+json"
        told: Manifest = json.loads(self.body)
        return told


@dataclass
class Doorway:
    """The doors of a running server, and everything that it said."""

    server: Serving
    trust: ssl.SSLContext
    said: list[Told] = field(default_factory=list)

    def review(self, body: bytes, path: str = "/validate") -> Told:
        """Posts a review."""
        return self._post(self.server.admission_port, f"{path}?timeout=10s", body, "application/json")

    def check(self, body: bytes, kind: str = "application/json") -> Told:
        """Posts manifests to the dry-run API."""
        return self._post(self.server.api_port, "/v1/check", body, kind)

    def _post(self, port: int, path: str, body: bytes, kind: str) -> Told:
        connection = http.client.HTTPSConnection("localhost", port, timeout=SECONDS, context=self.trust)
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            told = Told(answer.status, headers, answer.read())
        finally:
            connection.close()
        self.said.append(told)
        return told

    def everything_said(self) -> bytes:
        """Answers, logs and metrics."""
        return b"\n".join([*(response.body for response in self.said), self.server.log.read_bytes(), self._metrics()])

    def _metrics(self) -> bytes:
        return self.server.metrics().encode()

    def counted(self, sample: str) -> float:
        """A sample of the metrics, 0 where it is not there."""
        for line in self.server.metrics().splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0

    @property
    def resident_mib(self) -> float:
        """The most memory that the server ever had."""
        status = Path(f"/proc/{self.server.popen.pid}/status").read_text()
        (line,) = [splitline for splitline in status.splitlines() if splitline.startswith("VmHWM")]
        return int(line.split()[1]) / 1024


def trusting(authority: CertificateAuthority) -> ssl.SSLContext:
    """A client that trusts the authority."""
    return ssl.create_default_context(cadata=authority.cert_pem.decode())
