"""The trace context that goes with what this process publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry import baggage, context, trace

from hilum.runtime import otlp, tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def span() -> Iterator[None]:
    """A span with a state, and baggage, which senders may fill with anything."""
    state = trace.TraceState([("vendor", "1")])
    flags = trace.TraceFlags(1)
    of = trace.SpanContext(int("a" * 32, 16), int("b" * 16, 16), False, flags, state)
    token = context.attach(baggage.set_baggage("patient", "a name"))
    with trace.use_span(trace.NonRecordingSpan(of)):
        yield
    context.detach(token)


@pytest.mark.usefixtures("span")
def test_without_an_endpoint_nothing_goes_along():
    """Whatever span there is."""
    assert tracing.trace_headers() == {}
    assert tracing.current_traceparent() is None


@pytest.mark.usefixtures("span")
def test_with_an_endpoint_the_span_goes_along_and_no_baggage(monkeypatch: pytest.MonkeyPatch):
    """Two headers, as W3C names them."""
    monkeypatch.setattr(tracing, "_otlp", otlp)
    assert tracing.trace_headers() == {"traceparent": TRACE, "tracestate": "vendor=1"}
    assert tracing.current_traceparent() == TRACE


def test_without_a_span_nothing_goes_along(monkeypatch: pytest.MonkeyPatch):
    """As in a timer."""
    monkeypatch.setattr(tracing, "_otlp", otlp)
    assert tracing.trace_headers() == {}
    assert tracing.current_traceparent() is None
