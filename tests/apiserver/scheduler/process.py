"""
A kube-scheduler beside a control plane.

`Scheduler(control_plane)` is the stock program, which binds pods. `Prober` runs `fitprobe`, the same program with one more
plugin (`tools/kube-*/fitprobe`): pods stay pending, and the scheduler reports the reasons of all nodes. It binds the pods that
name one of the schedulers `BINDING`.
"""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from tests.apiserver.binaries import find_binary
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.processes import Process
from tests.waiting import PATIENCE_SECONDS

DEFAULT = "default-scheduler"

EVEN, PACKED, PREFERRED = "even", "packed", "preferred"
BINDING = (EVEN, PACKED, PREFERRED)
"""
The names of schedulers that bind pods, and differ in the choice among the nodes that fit: kube-scheduler's default, the fullest
node, and the node that the pod prefers, with a random choice among equals.
"""

WITHOUT_DEFAULTS = "--disable-admission-plugins=TaintNodesByCondition,StorageObjectInUseProtection,RuntimeClass"
"""A flag of kube-apiserver: nodes get no taint, claims no finalizer, and a pod may have an overhead without a RuntimeClass."""


class Status(msgspec.Struct, frozen=True):
    """Why a node does not fit: the filter plugin, or "" if PreFilter narrowed the nodes, and its reasons."""

    plugin: str
    reasons: list[str]

    @property
    def fits(self) -> bool:
        """Whether all plugins of kube-scheduler accept the node."""
        return self.plugin == "FitProbe"


class Seen(msgspec.Struct, frozen=True):
    """The number of objects of a kind that the scheduler has received, and their highest resource version."""

    count: int
    version: int


class Report(msgspec.Struct, frozen=True):
    """The answer of kube-scheduler for one pod."""

    uid: str
    nodes: dict[str, Status]
    seen: dict[str, Seen]


@contextmanager
def scheduler(control_plane: ControlPlane) -> Iterator[Process]:
    """A stock kube-scheduler, which binds pods; without preemption."""
    process = _begin("kube-scheduler", control_plane, [_profile(DEFAULT)])
    try:
        yield process
    finally:
        process.kill()


class Prober:
    """`with Prober(control_plane) as prober:` runs kube-scheduler with the plugin FitProbe."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane

    def __enter__(self) -> "Prober":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            profile = _profile(DEFAULT)
            probe = [{"name": "FitProbe"}]
            profile["plugins"] = {
                "filter": {"enabled": probe},
                "postFilter": {"disabled": [{"name": "*"}], "enabled": probe},
            }
            profile["pluginConfig"] = [{"name": "FitProbe", "args": {"address": f"127.0.0.1:{port}"}}]
            self._process = _begin("fitprobe", self._control_plane, [profile, *_binding()])
            listener.setblocking(False)
            self._stream = self._accept(listener)
        self._stream.settimeout(0.02)
        self._rest = b""
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._stream.close()

    def reports(self) -> list[Report]:
        """The reports that have arrived since the last call. Waits a few milliseconds if there are none."""
        try:
            received = self._stream.recv(1 << 20)
        except TimeoutError:
            received = b""
        else:
            if not received:
                raise RuntimeError(f"fitprobe closed its connection:\n{self._process.tail()}")
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def _accept(self, listener: socket.socket) -> socket.socket:
        accepted: list[socket.socket] = []

        def is_connected() -> bool:
            try:
                accepted.append(listener.accept()[0])
            except BlockingIOError:
                return False
            return True

        self._process.wait_ready(is_connected, PATIENCE_SECONDS)
        return accepted[0]


def _profile(name: str) -> dict[str, Any]:
    return {"schedulerName": name, "plugins": {"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}}}


def _binding() -> Iterator[dict[str, Any]]:
    yield _profile(EVEN)
    for name, plugin in ((PACKED, "NodeResourcesFit"), (PREFERRED, "NodeAffinity")):
        profile = _profile(name)
        profile["plugins"]["score"] = {"disabled": [{"name": "*"}], "enabled": [{"name": plugin, "weight": 1}]}
        resources = [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]
        strategy = {"scoringStrategy": {"type": "MostAllocated", "resources": resources}}
        profile["pluginConfig"] = [{"name": "NodeResourcesFit", "args": strategy}]
        yield profile


def _begin(program: str, control_plane: ControlPlane, profiles: Sequence[Mapping[str, Any]]) -> Process:
    configuration = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(control_plane.client.kubeconfig()), "qps": 5000, "burst": 5000},
        "leaderElection": {"leaderElect": False},
        "percentageOfNodesToScore": 100,
        "podInitialBackoffSeconds": 1,
        "profiles": profiles,
    }
    file = control_plane.folder / f"{program}.json"
    file.write_text(json.dumps(configuration))
    argv = [str(find_binary(program)), f"--config={file}", "--secure-port=0"]
    return Process.begin(program, argv, control_plane.folder)
