"""`migratable snapshot` of clusters that give no facts, and with a wrong kubeconfig."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.http_apiserver import Handler, Server
from tests.surfaces.running import Ran, migratable, process

EMPTY = {"metadata": {"resourceVersion": "1"}, "items": []}
CR = {"kind": "KubeVirt", "metadata": {"name": "kubevirt", "namespace": "kubevirt", "resourceVersion": "1", "uid": "1"}}


def with_kubevirt(handler: Handler) -> None:
    handler.plain(200, EMPTY | {"items": [CR]} if "/kubevirts" in handler.path else EMPTY)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def kubeconfig(folder: Path, port: int) -> Path:
    path = folder / "kubeconfig"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "hunter2"}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "dev",
    }
    path.write_text(json.dumps(content))
    return path


def snapshot(folder: Path, port: int, *flags: str) -> Ran:
    return migratable("snapshot", "--kubeconfig", kubeconfig(folder, port), "-o", folder / "out.yaml", *flags)


def only(status: int) -> Callable[[Handler], None]:
    return lambda handler: handler.plain(status, b"{}")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (only(404), "does not serve kubevirts.kubevirt.io: KubeVirt is not installed"),
        (only(401), "does not accept the credentials (HTTP 401)"),
        (only(403), "is not allowed to read any kind"),
        (only(500), "did not return"),
        (lambda handler: handler.plain(200, EMPTY), "has no KubeVirt CR: KubeVirt is not deployed"),
    ],
    ids=["no KubeVirt", "unauthorized", "forbidden", "broken", "no CR"],
)
def test_a_cluster_without_facts_gives_status_2_and_no_file(
    server: Server, tmp_path: Path, answer: Callable[[Handler], None], problem: str
) -> None:
    """
    The error names server and context. An older snapshot stays as it is.
    """
    server.answer = answer

    ran = snapshot(tmp_path, server.server_port)

    note, error = ran.err.splitlines()
    cluster = f"API server http://127.0.0.1:{server.server_port} (context 'dev')"
    assert (ran.status, ran.out) == (2, "")
    assert note == f"note: reading from {cluster}"
    assert error.startswith("error: ")
    assert cluster in error
    assert problem in error
    assert not (tmp_path / "out.yaml").exists()


def test_a_part_of_the_facts_is_enough(server: Server, tmp_path: Path) -> None:
    """
    Kinds that cannot be read are named; the snapshot is written, with server and context on standard error.
    """
    server.answer = lambda handler: (
        handler.plain(403, b"{}") if "storageclasses" in handler.path else with_kubevirt(handler)
    )

    ran = snapshot(tmp_path, server.server_port)

    assert ran.status == 0
    assert ran.err.splitlines()[0].endswith("(context 'dev')")
    assert "note: the snapshot has no StorageClass" in ran.err
    assert (tmp_path / "out.yaml").exists()


def test_a_refused_connection_names_the_address(tmp_path: Path) -> None:
    """
    With the cause, and status 2.
    """
    ran = snapshot(tmp_path, 1)

    assert ran.status == 2
    assert (
        "error: API server http://127.0.0.1:1 (context 'dev'): no response from the API server (connection refused)."
        in ran.err
    )


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--kubeconfig", "none"], "no such file: kubeconfig none"),
        (["--context", "test"], "has no context 'test'. Its contexts: dev"),
    ],
)
def test_a_wrong_kubeconfig_gives_one_line(tmp_path: Path, flags: list[str], problem: str) -> None:
    """
    Status 2, no traceback, before the Kubernetes client is imported.
    """
    ran = process("snapshot", *flags, cwd=tmp_path, env={"KUBECONFIG": str(kubeconfig(tmp_path, 1))})

    (line,) = ran.err.splitlines()
    assert ran.status == 2
    assert line.startswith("error: ")
    assert problem in line
