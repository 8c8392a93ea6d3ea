"""Traces of admission reviews."""

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.surfaces.admission.reviews import claim, on_claim, read, review, vm
from webhook.check.check import ReleaseChoice
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, only
from webhook.policy.policy import Policy
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.metrics import Metrics
from webhook.serve.tracing import ENDPOINT, Traced, tracing
from webhook.surfaces.admission.endpoint import ActiveConfiguration, AdmissionApp

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Facts(ManifestSource):
    """The facts of one claim."""

    def __init__(self) -> None:
        self._world = ObjectsWorld([read(claim("single", "ReadWriteOnce"))])


def answered(app: Any, body: bytes) -> list[Any]:
    """What an application sends for a review."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/validate",
        "headers": [(b"traceparent", PARENT.encode())],
        "query_string": b"timeout=5s",
        "state": {},
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def test_a_review_is_a_span_in_the_callers_trace_without_its_content() -> None:
    """
    Kind, operation and outcome are told, names and everything else of the object are not.
    """
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    configuration = ActiveConfiguration(Policy(), ReleaseChoice(only(NEWEST), "1.9"), "kubevirt", "2026-01-01")
    door = AdmissionApp(Facts(), lambda: configuration, Metrics(), lambda: 0.0)

    sent = answered(
        Traced(door, provider.get_tracer("test")), review("CREATE", vm("canary", volumes=[on_claim("single")]))
    )

    assert sent[0]["status"] == 200
    (span,) = spans.get_finished_spans()
    assert span.name == "admission review"
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert dict(span.attributes or {}) == {
        "url.path": "/validate",
        "migratable.kind": "VirtualMachine",
        "migratable.operation": "CREATE",
        "migratable.outcome": "denied",
    }
    assert "canary" not in span.to_json()


def test_without_an_endpoint_reviews_are_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Traces are off unless OTEL_EXPORTER_OTLP_ENDPOINT is set, and then cost nothing.
    """
    monkeypatch.delenv(ENDPOINT, raising=False)
    door: Any = object()

    assert tracing()(door) is door


def test_with_an_endpoint_reviews_are_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The SDK sends to the address in the standard variable.
    """
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", lambda _provider: None)  # it is one for all tests

    assert isinstance(tracing()(lambda *_: None), Traced)  # type: ignore[arg-type,return-value]
