"""A steady stream of admission requests, with a count of every response that is not a verdict."""

import http.client
import json
import re
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.apiserver.controlplane import ControlPlane

PATH = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances?dryRun=All"
OBJECT = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachineInstance",
    "metadata": {"generateName": "load-", "namespace": "default"},
    "spec": {"domain": {"devices": {"hostDevices": [{"name": "gpu", "deviceName": "vendor.example/gpu"}]}}},
}
"""Is denied: what is let through could have passed us by."""
WORKERS = 16


def is_our_verdict(status: int, document: dict[str, Any]) -> bool:
    """Whether the answer is the denial of this object, and no other refusal."""
    causes = document.get("details", {}).get("causes", [])
    return status == 422 and any("hostDevices" in cause.get("field", "") for cause in causes)


@dataclass
class Load:
    """Calls at `rate` a second while the block lasts, whatever the answers: late ones do not slow it down."""

    plane: ControlPlane
    rate: float
    failures: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    began: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: float = 0.0
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.began = self._next = time.monotonic()
        self._threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def calls(self) -> int:
        """How many were answered."""
        return len(self.seconds)

    def _work(self) -> None:
        connection = _connect(self.plane)
        body = json.dumps(OBJECT)
        while not self._ended.is_set():
            with self._lock:
                # behind by a second or more: the machine cannot do it, and a burst would measure only that
                self._next = max(self._next + 1 / self.rate, time.monotonic() - 1)
                due = self._next
            if self._ended.wait(max(0.0, due - time.monotonic())):
                break
            began = time.monotonic()
            try:
                connection.request("POST", PATH, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                document = json.loads(answer.read())
                failure = "" if is_our_verdict(answer.status, document) else _summary(answer.status, document)
            except (OSError, http.client.HTTPException, ValueError) as error:
                failure = f"no answer: {type(error).__name__}"
                connection.close()
            with self._lock:
                self.seconds.append(time.monotonic() - began)
                if failure:
                    self.failures[failure] += 1
        connection.close()

    def figures(self) -> str:
        """One line to print."""
        took = time.monotonic() - self.began
        ordered = sorted(self.seconds)
        p99 = ordered[int(len(ordered) * 0.99)] if ordered else 0.0
        return (
            f"{self.calls} admissions in {took:.0f} s ({self.calls / took:.0f} a second), "
            f"{sum(self.failures.values())} failed, p99 {p99 * 1000:.0f} ms"
        )


def _connect(plane: ControlPlane) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cadata=plane.ca.cert_pem.decode())
    context.load_cert_chain(Path(plane.client.folder) / "administrator.pem")
    at = urlsplit(plane.url)
    assert at.hostname
    return http.client.HTTPSConnection(at.hostname, at.port, timeout=30, context=context)


def _summary(status: int, document: dict[str, Any]) -> str:
    """The answer without what differs from call to call."""
    return f"{status} {re.sub(r'[0-9]{2,}', 'N', str(document.get('message', document)))[:300]}"


_SAMPLE = re.compile(r"^(\w+)\{([^}]*)\} (\S+)$", re.MULTILINE)


def metrics_text(plane: ControlPlane) -> str:
    """The API server's metrics."""
    with plane.client._opener.open(f"{plane.url}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def webhook_metrics(plane: ControlPlane) -> Counter[str]:
    """The API server's counters of webhooks: calls, failed calls, and objects admitted despite a failure."""
    counted: Counter[str] = Counter()
    for name, labels, value in _SAMPLE.findall(metrics_text(plane)):
        if name == "apiserver_admission_webhook_request_total":
            counted["calls"] += int(float(value))
        elif name == "apiserver_admission_webhook_rejection_count" and 'error_type="no_error"' not in labels:
            counted["failed"] += int(float(value))
        elif name == "apiserver_admission_webhook_fail_open_count":
            counted["let through"] += int(float(value))
    return counted
