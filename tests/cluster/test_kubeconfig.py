"""Each mistake in a kubeconfig has its own error: `snapshot` and `serve --kubeconfig` print the same ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.http_apiserver import Server
from webhook.cluster.facts import ClusterFacts
from webhook.cluster.kubeconfig import Target, target
from webhook.cluster.kubernetes_client import connect
from webhook.errors import Misconfigured, Unavailable
from webhook.objects.nad import NetworkAttachmentDefinition


def config(server: str = "https://admin:hunter2@one.example.com:6443/base", **changes: object) -> dict[str, Any]:
    return {
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"token": "hunter2"}}],
        "contexts": [{"name": name, "context": {"cluster": "one", "user": "me"}} for name in ("dev", "prod")],
        "current-context": "dev",
        **changes,
    }


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def context(**fields: str) -> list[dict[str, object]]:
    return [{"name": "dev", "context": fields}]


MISTAKES: dict[str, tuple[object, str, str]] = {
    "no file": (None, "", "no such file: kubeconfig {path}"),
    "empty": ("", "", "{path} is not a kubeconfig: it is empty"),
    "a list": ("[]", "", "{path} is not a kubeconfig: it is not a mapping"),
    "not a list of clusters": ({"clusters": 7}, "", "{path} is not a kubeconfig: `clusters` is not a list"),
    "not YAML": ("a: b\nc: [\n", "", "kubeconfig {path}:3 is not valid YAML"),
    "a tab": ("a:\n\tb: 1\n", "", "kubeconfig {path}:2 is not valid YAML"),
    "not text": ("a: \x00", "", "kubeconfig {path} is not valid YAML"),
    "no contexts": ("{}", "", "kubeconfig {path} has no current-context. Its contexts: none"),
    "no current context": (
        config(**{"current-context": ""}),
        "",
        "kubeconfig {path} has no current-context. Its contexts: dev, prod",
    ),
    "unknown context": (config(), "test", "kubeconfig {path} has no context 'test'. Its contexts: dev, prod"),
    "unknown current context": (
        config(**{"current-context": "old"}),
        "",
        "kubeconfig {path} has no context 'old'. Its contexts: dev, prod",
    ),
    "unknown cluster": (
        config(contexts=context(cluster="two", user="me")),
        "",
        "context 'dev' names cluster 'two', which the file does not define",
    ),
    "unknown user": (
        config(contexts=context(cluster="one", user="you")),
        "",
        "context 'dev' names user 'you', which the file does not define",
    ),
    "no server": (config(server=""), "", "the cluster of context 'dev' has no server"),
    "missing certificate": (
        config(clusters=[{"name": "one", "cluster": {"server": "https://x", "certificate-authority": "/none/ca.crt"}}]),
        "",
        "has no usable credentials for an API server: File does not exist: /none/ca.crt",
    ),
}


@pytest.mark.parametrize(("content", "name", "message"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_in_a_kubeconfig_has_its_own_error(
    tmp_path: Path, content: object, name: str, message: str
) -> None:
    """
    Misconfigured, with a remedy and without secrets of the file.
    """
    path = tmp_path / "kubeconfig"
    if content is not None:
        write(path, content)

    with pytest.raises(Misconfigured) as caught:
        ClusterFacts([NetworkAttachmentDefinition]).start(path, name or None)

    assert message.format(path=path) in caught.value.message
    assert caught.value.remedy
    assert "hunter2" not in caught.value.message


def test_the_target_names_context_and_server_without_credentials(tmp_path: Path) -> None:
    """
    The server as in the file, except for a user and password in the URL.
    """
    path = write(tmp_path / "kubeconfig", config())

    assert target(path) == Target("dev", "https://one.example.com:6443/base")
    assert target(path, "prod").context == "prod"


def test_a_list_of_kubeconfigs_is_merged_as_in_kubectl(tmp_path: Path) -> None:
    """
    The first entry of a name counts, and files that do not exist are skipped.
    """
    first = write(tmp_path / "a", {"current-context": "prod", "clusters": config("https://a")["clusters"]})
    second = write(tmp_path / "b", config("https://b"))

    merged = target(Path(f"{tmp_path / 'none'}:{first}:{second}"))

    assert merged == Target("prod", "https://a")


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (lambda _server: "http://127.0.0.1:1", "connection refused"),
        (lambda _server: "https://none.invalid", "unknown host name"),
        (lambda server: f"https://127.0.0.1:{server.server_port}", "TLS handshake failed"),
    ],
    ids=["refused", "unknown name", "no TLS"],
)
def test_an_api_server_without_an_answer_gives_the_cause(
    tmp_path: Path, server: Server, address: Callable[[Server], str], cause: str
) -> None:
    """
    Refused connection, unknown host name and failed handshake are told apart.
    """
    transport = connect(write(tmp_path / "kubeconfig", config(address(server))))

    with pytest.raises(Unavailable) as caught:
        transport.get("/version", {}, timeout_seconds=5)

    assert caught.value.message == f"no response from the API server ({cause})"
