"""What the known-answer test tells Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from hilum.runtime.metrics import MetricsRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.model import ModelManifest
    from hilum_triton_probe.status import Outcome


class KnownAnswerMetrics:
    """Tells whether Triton gives the known answers."""

    def __init__(self) -> None:
        self.registry = MetricsRegistry()
        self._ready = Gauge(
            "hilum_known_answer_ready",
            "1: every model gave what it must for the known inputs",
            registry=self.registry,
        )
        self._runs = Counter(
            "hilum_known_answer_looks_total",
            "Runs of the test: right, wrong (ready, but no right answer), or down",
            ["finding"],
            registry=self.registry,
        )
        self._seconds = Gauge(
            "hilum_known_answer_seconds", "Time that the last run took", registry=self.registry
        )
        self._deviation = Gauge(
            "hilum_known_answer_deviation",
            "Largest deviation from the expected output, as a share of what is allowed",
            ["model", "version", "output"],
            registry=self.registry,
        )

    def ran(self, outcome: Outcome, seconds: float) -> None:
        """Count a run that ended."""
        self._ready.set(outcome.value == "right")
        self._runs.labels(outcome.value).inc()
        self._seconds.set(seconds)

    def deviated(self, model: ModelManifest, shares: Mapping[str, float]) -> None:
        """Keep what a model deviated: by output, the share of what is allowed."""
        for output, share in shares.items():
            self._deviation.labels(model.name, model.serving_version, output).set(share)
