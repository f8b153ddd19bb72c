"""The registry of a process and the endpoint where Prometheus reads it."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.exposition import generate_latest

from hilum.runtime.metrics import MetricsRegistry, served


@pytest.fixture
def registry() -> MetricsRegistry:
    """Holds one count of an image."""
    registry = MetricsRegistry()
    Counter("hilum_images", "Images.", ("outcome",), registry=registry).labels("accepted").inc()
    return registry


def test_metrics_are_served_while_the_block_runs(registry):
    """They are told on the address that was asked for, and not after the block."""
    with served(registry, "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        text = httpx.get(url).text
    assert 'hilum_images_total{outcome="accepted"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_without_a_port_nothing_listens(registry):
    """No port is the default."""
    with served(registry, "127.0.0.1", None) as port:
        assert port is None


def test_a_renamed_metric_is_told_under_both_names(registry):
    """Every sample has its copy, with the same labels and value."""
    seconds = Histogram(
        "hilum_http_request_duration_seconds", "Time.", ("route",), buckets=(1,), registry=registry
    )
    seconds.labels("/").observe(0.5)
    lines = [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    for new, old in (
        ("hilum_http_request_duration_seconds", "hilum_http_request_seconds"),
        ("hilum_images", "hilum_films"),
    ):
        told = [line for line in lines if line.startswith(new)]
        assert told
        assert [line for line in lines if line.startswith(old)] == [
            line.replace(new, old) for line in told
        ]
