"""Spans of this process, sent to a collector over OTLP.

FastAPI makes the spans of requests by itself, and an instrumentation those of calls to Triton. No
span holds a query, a header or the text of an error, because these may name a patient.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span
    from structlog.typing import EventDict

_EXPORT_S: Final = 2.0
"""Longest time of one export; a collector that is down holds up the end of a process no longer."""


class _WithoutQueries(SpanProcessor):
    """Takes the query, which may name a patient, out of the spans that FastAPI makes."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        """Cover the query before anything else sees it."""
        if "url.query" in (span.attributes or {}):
            span.set_attribute("url.query", "REDACTED")


def start(service: str, endpoint: str, ratio: float) -> None:
    """Send spans to a collector, and the trace context with what is asked of Triton.

    Args:
        service: Name of the process.
        endpoint: Address of the collector, without a path.
        ratio: Share of the traces that begin here.
    """
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"hilum-{service}"}),
        sampler=ParentBasedTraceIdRatio(ratio),
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_S)
    provider.add_span_processor(_WithoutQueries())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    if find_spec("grpc") is not None:
        from opentelemetry.instrumentation.grpc import (  # noqa: PLC0415 - the gateway has no gRPC
            GrpcInstrumentorClient,
        )

        GrpcInstrumentorClient().instrument()  # type: ignore[no-untyped-call]


def add_trace_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Add the trace of the current span to a line of the log."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event


def trace_headers() -> dict[str, str]:
    """Return the trace context of the current span, without its baggage."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier


def run_span(noun: str, traceparent: str | None) -> AbstractContextManager[object]:
    """Cover a run of an item with a span that continues the trace of who queued it."""
    return trace.get_tracer("hilum").start_as_current_span(
        f"{noun}.run",
        context=extract({} if traceparent is None else {"traceparent": traceparent}),
        kind=trace.SpanKind.CONSUMER,
        record_exception=False,
        set_status_on_exception=False,
    )


def flush() -> None:
    """Send the spans that wait."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(int(_EXPORT_S * 1000))
