"""A server on a real socket, and the client of it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.http_apiserver import Server
from webhook.cluster.kubernetes_client import KubernetesTransport, connect


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.released.set()
        running.shutdown()


@pytest.fixture
def kubeconfig(server: Server, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    here = {"cluster": "test", "user": "test"}
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "test", "user": {"token": "canary"}}],
                "contexts": [{"name": "test", "context": here}],
                "current-context": "test",
            }
        )
    )
    return path


@pytest.fixture
def transport(kubeconfig: Path) -> Iterator[KubernetesTransport]:
    connected = connect(kubeconfig)
    yield connected
    connected.close()
