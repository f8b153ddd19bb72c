"""The gateway as its settings wire it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from opentelemetry import trace

from hilum.application.queue.messages import QUEUES
from hilum.domain.work import Priority
from hilum.runtime import otlp, tracing
from hilum_gateway.bootstrap import bootstrap
from tests.unit.gateway.api import fake_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_its_wake_ups_carry_the_trace_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """So that a message belongs to what was sent."""
    container = bootstrap(fake_settings(broker={"url": f"filesystem://{tmp_path}"}))
    monkeypatch.setattr(tracing, "_otlp", otlp)
    request = trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(request)):
        container.queue.wake([Priority.STAT])
    container.close()
    (message,) = (tmp_path / QUEUES[Priority.STAT]).glob("*.msg")
    assert json.loads(message.read_text())["headers"]["traceparent"] == f"00-{1:032}-{2:016}-01"
