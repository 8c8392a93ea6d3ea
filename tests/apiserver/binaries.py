"""
Where etcd, kube-apiserver, kubectl, kube-scheduler, helm and Prometheus come from.

In this order: $KUBEBUILDER_ASSETS (envtest's convention), a folder of this user ($MIGRATABLE_TEST_CACHE, else
$XDG_CACHE_HOME or ~/.cache, and in it kas-testenv), a build through Go from tools/*/go.mod, kept in that folder.
kubectl is taken from PATH before all of these.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent / "tools"

#: The oldest Go that fetches a newer toolchain by itself when a go.mod requires one (https://go.dev/doc/toolchain).
OLDEST_GO = (1, 21)

REMEDY = "set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl, or install Go 1.24+"


@dataclass(frozen=True, slots=True)
class Tool:
    """A binary, and the Go package that it is built from."""

    name: str
    package: str
    module: str  # folder of tools/ whose go.mod pins it; also its folder in the cache
    tags: str = ""  # build tags

    @property
    def version(self) -> str:
        """The release, from the folder's name: v1.34.2."""
        return self.module.rpartition("-")[2]

    @property
    def place(self) -> Path:
        """Its path in the cache. A program of this repository is built again when its source changes."""
        folder = cache_folder() / self.module
        if not self.package.startswith("./"):
            return folder / self.name
        source = b"".join(file.read_bytes() for file in sorted((TOOLS / self.module / self.package).glob("*.go")))
        return folder / hashlib.sha256(source).hexdigest()[:12] / self.name


TESTED_KUBERNETES = "v1.34.2"
"""The release of every run that does not name another one."""

KUBE = "kube-" + os.environ.get("MIGRATABLE_KUBERNETES", TESTED_KUBERNETES)

KNOWN = {
    tool.name: tool
    for tool in (
        Tool("etcd", "go.etcd.io/etcd/server/v3", "etcd-v3.6.6"),
        Tool("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", KUBE),
        Tool("kubectl", "k8s.io/kubernetes/cmd/kubectl", KUBE),
        Tool("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", KUBE),
        Tool("typecheck", "./typecheck", f"kube-{TESTED_KUBERNETES}"),
        Tool("fitprobe", "./fitprobe", f"kube-{TESTED_KUBERNETES}"),
        Tool("helm", "helm.sh/helm/v4/cmd/helm", "helm-v4.3.1"),
        *(
            # without the clients of clouds, which take most of the build
            Tool(name, f"github.com/prometheus/prometheus/cmd/{name}", "prometheus-v3.16.0", "remove_all_sd")
            for name in ("prometheus", "promtool")
        ),
    )
}

CONTROL_PLANE = ("etcd", "kube-apiserver", "kubectl")
SCHEDULERS = ("kube-scheduler", "fitprobe")
PROMETHEUS = ("prometheus", "promtool")
TESTED = (*CONTROL_PLANE, *SCHEDULERS, "helm", *PROMETHEUS)


class MissingBinaryError(RuntimeError):
    """Neither the binary nor a Go that could build it is on this machine."""


def cache_folder() -> Path:
    """The folder of this user that holds built binaries and etcd seeds."""
    if named := os.environ.get("MIGRATABLE_TEST_CACHE"):
        return Path(named) / "kas-testenv"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kas-testenv"


def existing_binary(name: str) -> Path | None:
    """Where NAME is already, without building anything."""
    places = []
    if name == "kubectl" and (on_path := shutil.which(name)):
        places.append(Path(on_path))
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        places.append(Path(assets) / name)
    places.append(KNOWN[name].place)
    return next((place for place in places if os.access(place, os.X_OK)), None)


def find_binary(name: str) -> Path:
    """Path of NAME, built on first use; raises MissingBinaryError where that cannot be done."""
    if path := existing_binary(name):
        return path
    tool = KNOWN[name]
    target = tool.place
    with locked(target):
        if not target.is_file():  # else another process built it while we waited
            _build(tool, target)
    return target


def missing_binaries(names: Sequence[str] = CONTROL_PLANE) -> str | None:
    """Why NAMES, those of a control plane, cannot be run on this machine, in one line; None where they can."""
    missing = [name for name in names if existing_binary(name) is None]
    if not missing or _go() is not None:
        return None
    return f"{', '.join(missing)} not found: {REMEDY}"


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Holds the right to make TARGET, against other processes of this machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _go() -> str | None:
    go = shutil.which("go")
    if go is None:
        return None
    # GOTOOLCHAIN=local: ask what is installed; a go.mod up the tree must not make it download another one
    answer = subprocess.run(
        [go, "version"], env={**os.environ, "GOTOOLCHAIN": "local"}, capture_output=True, text=True, check=False
    )
    release = re.search(r"\bgo(\d+)\.(\d+)", answer.stdout)
    return go if release and tuple(map(int, release.groups())) >= OLDEST_GO else None


def _build(tool: Tool, target: Path) -> None:
    """Builds TOOL; five minutes for a kube-apiserver on two idle cores, half a minute for etcd, one to two for each other."""
    go = _go()
    if go is None:
        raise MissingBinaryError(f"{tool.name} not found: {REMEDY}")
    ldflags = ["-s", "-w"]
    if tool.module.startswith("kube-"):
        # unstamped, /version answers v0.0.0-master+$Format:%H$ and clients that parse it complain
        major, minor, _ = tool.version.removeprefix("v").split(".")
        stamps = {"gitVersion": tool.version, "gitMajor": major, "gitMinor": minor}
        ldflags += [f"-X k8s.io/component-base/version.{key}={value}" for key, value in stamps.items()]
    part = target.with_name(f"{tool.name}.part")
    options = ["-mod=readonly", "-trimpath", f"-ldflags={' '.join(ldflags)}"]
    options += [f"-tags={tool.tags}"] if tool.tags else []
    subprocess.run(
        [go, "build", *options, "-o", str(part), tool.package],
        cwd=TOOLS / tool.module,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        check=True,
    )
    part.replace(target)  # at once or not at all: a build that was interrupted leaves no half binary
