"""Existing binaries are used, and missing ones are built."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apiserver import binaries, releases

REPOSITORY = Path(__file__).resolve().parents[3]


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any of the binaries, and without Go."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MIGRATABLE_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


def test_envtest_assets_come_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    $KUBEBUILDER_ASSETS wins over what this project has built.
    """
    cached = program(tmp_path / "cache" / "kas-testenv" / "etcd-v3.6.6" / "etcd")
    asset = program(tmp_path / "assets" / "etcd")

    without = binaries.find_binary("etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(asset.parent))

    assert (without, binaries.find_binary("etcd")) == (cached, asset)


def test_kubectl_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A user's own kubectl is the one that is tested with; an etcd on PATH is left alone.
    """
    asset = program(tmp_path / "assets" / "kubectl")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(asset.parent))
    without = binaries.find_binary("kubectl")
    installed = program(tmp_path / "bin" / "kubectl")
    program(tmp_path / "bin" / "etcd")

    assert (without, binaries.find_binary("kubectl")) == (asset, installed)
    assert binaries.existing_binary("etcd") is None


def test_the_cache_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    $MIGRATABLE_TEST_CACHE names it, else $XDG_CACHE_HOME, else ~/.cache.
    """
    monkeypatch.setenv("MIGRATABLE_TEST_CACHE", "/named")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("HOME", "/home/tenant")
    folders = [binaries.cache_folder()]
    for name in ("MIGRATABLE_TEST_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
        folders.append(binaries.cache_folder())

    assert list(map(str, folders)) == ["/named/kas-testenv", "/xdg/kas-testenv", "/home/tenant/.cache/kas-testenv"]


def test_a_binary_is_built_once(tmp_path: Path) -> None:
    """
    Go is called with the go.mod of the binary, stamps the release, and is not called again.
    """
    calls = tmp_path / "calls"
    go = f"""\
if [ "$1" = version ]; then echo go version go1.24.0 linux/amd64; exit; fi
echo "$PWD $*" >> {calls}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; /bin/chmod 755 "$2" """
    program(tmp_path / "bin" / "go", go)

    built = [binaries.find_binary("kube-apiserver"), binaries.find_binary("kube-apiserver")]

    target = tmp_path / "cache" / "kas-testenv" / "kube-v1.34.2" / "kube-apiserver"
    stamp = "k8s.io/component-base/version"
    assert built == [target, target]
    assert calls.read_text() == (
        f"{binaries.TOOLS}/kube-v1.34.2 build -mod=readonly -trimpath -ldflags=-s -w "
        f"-X {stamp}.gitVersion=v1.34.2 -X {stamp}.gitMajor=1 -X {stamp}.gitMinor=34 "
        f"-o {target}.part k8s.io/kubernetes/cmd/kube-apiserver\n"
    )


def test_a_build_that_fails_leaves_no_binary(tmp_path: Path) -> None:
    """
    Half a binary in the cache would be taken for a whole one for ever after.
    """
    program(tmp_path / "bin" / "go", 'if [ "$1" = version ]; then echo go version go1.24.0; exit; fi; exit 1')

    with pytest.raises(subprocess.CalledProcessError):
        binaries.find_binary("etcd")

    assert binaries.existing_binary("etcd") is None


@pytest.mark.parametrize("release", [None, "go1.19.8"])
def test_without_go_the_remedy_is_named(tmp_path: Path, release: str | None) -> None:
    """
    A Go before 1.21 counts as missing: it cannot fetch the toolchain that a go.mod requires.
    """
    if release:
        program(tmp_path / "bin" / "go", f"echo go version {release} linux/amd64")

    with pytest.raises(binaries.MissingBinaryError) as refusal:
        binaries.find_binary("etcd")

    assert str(refusal.value) == f"etcd not found: {binaries.REMEDY}"
    assert binaries.missing_binaries() == f"etcd, kube-apiserver, kubectl not found: {binaries.REMEDY}"


def test_nothing_is_missing_where_go_can_build_it(tmp_path: Path) -> None:
    """
    A fresh machine with Go runs the tests against a real API server.
    """
    program(tmp_path / "bin" / "go", "echo go version go1.24.0 linux/amd64")

    assert binaries.missing_binaries() is None


@pytest.mark.parametrize("release", releases.PINNED)
def test_the_environment_chooses_the_kubernetes_release(release: str) -> None:
    """
    $MIGRATABLE_KUBERNETES names one of the releases in tools/, each of which has checksums.
    """
    script = "from tests.apiserver.binaries import KNOWN; print(KNOWN['kube-apiserver'].version)"
    environment = {"MIGRATABLE_KUBERNETES": release}

    chosen = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True
    )

    module = binaries.TOOLS / f"kube-{release}"
    assert chosen.stdout.strip() == release
    assert "tool k8s.io/kubernetes/cmd/kube-apiserver\n" in (module / "go.mod").read_text()
    assert (module / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("tool", binaries.KNOWN.values(), ids=lambda tool: tool.name)
def test_every_binary_is_declared_as_a_tool(tool: binaries.Tool) -> None:
    """
    The go.mod names each built module with a checksum, or the source is in the repository.
    """
    module = binaries.TOOLS / tool.module

    is_here = tool.package.startswith("./") and any((module / tool.package).glob("*.go"))
    assert is_here or f"tool {tool.package}\n" in (module / "go.mod").read_text()
    assert (module / "go.sum").stat().st_size > 0


def run_one_apiserver_test(**environment: str) -> subprocess.CompletedProcess[str]:
    test = "tests/apiserver/itself/test_controlplane.py::test_stop_removes_processes_and_files"
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    return subprocess.run(
        argv, cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_where_there_is_no_api_server_its_tests_are_skipped_in_one_line() -> None:
    """
    A contributor without Go sees what was not tested, and how to get it.
    """
    done = run_one_apiserver_test(MIGRATABLE_REQUIRE_APISERVER="")

    lines = [line for line in done.stdout.splitlines() if "no control plane" in line]
    assert done.returncode == 0
    assert lines == [f"skipped 1: no control plane: etcd, kube-apiserver, kubectl not found: {binaries.REMEDY}"]


def test_where_an_api_server_is_required_its_tests_fail() -> None:
    """
    Continuous integration never passes by having skipped.
    """
    done = run_one_apiserver_test(MIGRATABLE_REQUIRE_APISERVER="1")

    assert done.returncode == 1
    assert f"no control plane: etcd, kube-apiserver, kubectl not found: {binaries.REMEDY}" in done.stdout
