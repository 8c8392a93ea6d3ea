"""The client that can write, against a small HTTP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.http_apiserver import Handler, Server, hang_up
from webhook.cluster.kubernetes_client import KubernetesTransport
from webhook.cluster.writing_client import KubernetesWriter, connect_writer
from webhook.errors import Unavailable

REPORT = "/apis/openreports.io/v1alpha1/namespaces/shop/reports/a"


@pytest.fixture
def writer(kubeconfig: Path) -> Iterator[KubernetesWriter]:
    connected = connect_writer(kubeconfig)
    yield connected
    connected.close()


def conflict(handler: Handler) -> None:
    handler.plain(409, b'{"reason": "Conflict"}')


def test_a_patch_is_sent_as_it_was_encoded(server: Server, writer: KubernetesWriter) -> None:
    """
    JSON is YAML, which server-side apply takes. The client does not encode the body again.
    """
    server.answer = conflict

    got = writer.patch(
        REPORT,
        {"fieldManager": "a b"},
        b'{"kind":"Report"}',
        content_type="application/apply-patch+yaml",
        accept="application/json;as=PartialObjectMetadata",
        timeout_seconds=5,
    )

    assert (got.status, got.body) == (409, b'{"reason": "Conflict"}')
    assert server.requests == [f"{REPORT}?fieldManager=a+b"]
    assert server.methods == ["PATCH"]
    assert server.bodies == [b'{"kind":"Report"}']
    assert server.headers[0]["Content-Type"] == "application/apply-patch+yaml"
    assert server.headers[0]["Accept"] == "application/json;as=PartialObjectMetadata"
    assert server.headers[0]["authorization"] == "Bearer canary"


def test_a_deletion_has_options(server: Server, writer: KubernetesWriter) -> None:
    """
    The precondition is in the body.
    """
    server.answer = conflict

    got = writer.delete(REPORT, {"preconditions": {"uid": "a"}}, timeout_seconds=5)

    assert got.status == 409
    assert (server.methods, server.bodies) == (["DELETE"], [b'{"preconditions": {"uid": "a"}}'])


def test_a_write_without_a_response_is_unavailable(server: Server, writer: KubernetesWriter) -> None:
    """
    The client does not send it again: the writer of reports decides that.
    """
    server.answer = hang_up

    with pytest.raises(Unavailable):
        writer.delete(REPORT, {}, timeout_seconds=5)

    assert len(server.requests) == 1


def test_the_transport_of_the_server_has_no_method_that_changes_an_object() -> None:
    """
    ``post`` creates review objects, which the API server does not store.
    """
    methods = {name for name in vars(KubernetesTransport) if not name.startswith("_")}

    assert methods == {"async_reader", "connection_settings", "get", "post", "watch", "close"}
