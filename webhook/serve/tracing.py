"""
Optional traces of admission reviews. Traces are enabled if the OpenTelemetry SDK is installed (extra ``otel``) and
``OTEL_EXPORTER_OTLP_ENDPOINT`` is set. Otherwise no OpenTelemetry code runs. A span contains the kind, the operation and the
outcome, but no content of an object.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from webhook.errors import Misconfigured
from webhook.surfaces.asgi import Receive, Scope, Send

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass(frozen=True, slots=True)
class Traced:
    """An ASGI application that creates a span for each request, as a part of the caller's trace."""

    app: App
    tracer: Any
    """An ``opentelemetry.trace.Tracer``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        from opentelemetry import propagate, trace  # noqa: PLC0415 - only if traces are enabled

        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
        with self.tracer.start_as_current_span(
            "admission review", context=propagate.extract(carrier), kind=trace.SpanKind.SERVER
        ) as span:
            span.set_attribute("url.path", scope["path"])
            await self.app(scope, receive, send)
            for name, value in scope.get("state", {}).get("review", {}).items():
                span.set_attribute(f"migratable.{name}", value)


def tracing() -> Callable[[App], App]:
    """Returns a wrapper for the admission application. Raises Misconfigured if the SDK is missing."""
    if not os.environ.get(ENDPOINT):
        return lambda app: app
    try:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise Misconfigured(
            f"{ENDPOINT} is set, but the OpenTelemetry SDK is not installed",
            remedy=f"Install kubevirt-migratable[otel], or unset {ENDPOINT}.",
        ) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "migratable")})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("migratable")
    return lambda app: Traced(app, tracer)
