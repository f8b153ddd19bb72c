"""Traces over OTLP: off, and nothing of OpenTelemetry's SDK imported, without an endpoint."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from structlog.typing import Processor

    from hilum.runtime.setting_groups import Tracing

_otlp: Any = None
"""The module that traces, in a process that does; one a process, as OpenTelemetry's provider is."""


def start_tracing(service: str, settings: Tracing) -> Sequence[Processor]:
    """Trace this process where there is an endpoint; to be called before anything connects.

    Args:
        service: Name of the process, e.g. ``gateway``.
        settings: Endpoint of the collector, and the share of traces.

    Returns:
        What adds ``trace_id`` to lines of the log.

    Raises:
        ValueError: There is an endpoint, and the packages of the extra ``tracing`` are missing.
    """
    global _otlp  # noqa: PLW0603 - see above
    if settings.endpoint is None:
        return ()
    try:
        from hilum.runtime import otlp  # noqa: PLC0415 - imports the SDK
    except ImportError as error:
        raise ValueError("HILUM_TRACING_ENDPOINT needs the extra `tracing`") from error
    otlp.start(service, settings.endpoint, settings.ratio)
    _otlp = otlp
    return (otlp.add_trace_id,)


def current_traceparent() -> str | None:
    """Return the trace context of what this thread does now, as W3C writes it; None without one."""
    return trace_headers().get("traceparent")


def trace_headers() -> dict[str, str]:
    """Return the same as headers of a message; none where nothing is traced."""
    return {} if _otlp is None else _otlp.trace_headers()


def run_span(noun: str, traceparent: str | None) -> AbstractContextManager[object]:
    """Cover a run of an item with a span that continues the trace of who queued it."""
    return nullcontext() if _otlp is None else _otlp.run_span(noun, traceparent)


def flush_traces() -> None:
    """Send the spans that wait; for a process that ends by a signal and runs no exit handlers."""
    if _otlp is not None:
        _otlp.flush()
