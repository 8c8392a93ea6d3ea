"""``migratable audit --watch`` as a process beside a real API server."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import free_ports
from tests.surfaces.running import migratable
from tests.waiting import PATIENCE_SECONDS, wait_until

REPORTS = "/apis/openreports.io/v1alpha1/reports"
MACHINES = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines"
LEASE = "default/audit"
KINDS = ("VirtualMachine", "VirtualMachineInstance")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Watching:
    """A running process."""

    popen: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log so far. Each line is JSON."""
        return [json.loads(line) for line in (self.folder / "err").read_text().splitlines()]

    def get(self, path: str) -> tuple[int, str]:
        """The response of its listener, or status 0 if it does not listen."""
        try:
            with _OPENER.open(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            if self.popen.poll() is not None:
                raise AssertionError((self.folder / "err").read_text()) from None
            return 0, ""

    def metric(self, name: str) -> float:
        """The value of a metric without labels, or the sum of its series. -1 if there is none."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines) if lines else -1

    def wait_ready(self) -> "Watching":
        wait_until(lambda: self.get("/readyz")[0] == 200, PATIENCE_SECONDS, "the first judgement of all objects")
        return self

    def wait_written(self) -> "Watching":
        """Waits until it has judged everything, leads, and has written all reports."""
        self.wait_ready()
        wait_until(
            lambda: (
                self.metric("migratable_audit_leader") == 1
                and self.metric("migratable_audit_pending_reports") == 0
                and any(line["message"] == "the reports were listed" for line in self.log)
            ),
            PATIENCE_SECONDS,
            "all reports",
        )
        return self

    def stop(self) -> int:
        """Ends it as a kubelet does. Returns its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)


@contextmanager
def watching(kubeconfig: Path, folder: Path, *options: str) -> Iterator[Watching]:
    """A process that watches the cluster of a kubeconfig."""
    (port,) = free_ports(1)
    folder.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "webhook", "audit", "--watch", f"--kubeconfig={kubeconfig}", f"--port={port}"]
    with (folder / "err").open("wb") as err:
        popen = subprocess.Popen([*argv, "--drain-minutes=0", *options], stdout=err, stderr=err)
    try:
        yield Watching(popen, port, folder)
    finally:
        popen.kill()
        popen.wait()


def reports(plane: ControlPlane) -> dict[str, dict[str, Any]]:
    """The reports in the cluster, by namespace and name of their object."""

    def answer() -> dict[str, Any]:
        reply = plane.client.api("GET", REPORTS)
        return dict(reply.document) if reply.status == 200 else {}

    # for some seconds after its start, an API server does not serve all definitions
    items = wait_until(answer, PATIENCE_SECONDS, "a list of reports")["items"]
    scopes = [(one["scope"], one) for one in items]
    return {f"{scope['kind']} {scope['namespace']}/{scope['name']}": one for scope, one in scopes}


def about(plane: ControlPlane, *names: str) -> Sequence[str]:
    """The given objects that have a report."""
    there = reports(plane)
    return [name for name in names if name in there]


def is_current(plane: ControlPlane) -> bool:
    """Whether the reports on VMs and VMIs are those of an audit that lists the cluster now."""
    ran = migratable("audit", "--kubeconfig", str(plane.client.kubeconfig()), "-o", "json", "--fail-on=never")
    wanted = {
        (f"{one['kind']} {one['namespace']}/{one['name']}", finding["rule"])
        for one in json.loads(ran.out)["objects"]
        for finding in one["findings"]
        if one["kind"] in KINDS
    }
    return wanted == {
        (name, result["rule"])
        for name, report in reports(plane).items()
        for result in report["results"]
        if name.partition(" ")[0] in KINDS
    }
