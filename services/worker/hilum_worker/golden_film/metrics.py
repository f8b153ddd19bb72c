"""What the golden films tell Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from hilum.runtime.metrics import MetricsRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.domain.model import ModelManifest
    from hilum_worker.golden_film.verdict import Finding


class GoldenFilmMetrics:
    """Tells whether Triton gives the known answers."""

    def __init__(self) -> None:
        self.registry = MetricsRegistry()
        self._ready = Gauge(
            "hilum_known_answer_ready",
            "1: every model gave what it must for the golden films",
            registry=self.registry,
        )
        self._looks = Counter(
            "hilum_known_answer_looks_total",
            "Looks at Triton: right, wrong (ready, but no right answer), or down",
            ["finding"],
            registry=self.registry,
        )
        self._seconds = Gauge(
            "hilum_known_answer_seconds", "Time that the last look took", registry=self.registry
        )
        self._deviation = Gauge(
            "hilum_known_answer_deviation",
            "Largest deviation from the expected answer, as a share of what is allowed",
            ["model", "version", "output"],
            registry=self.registry,
        )

    def looked(self, finding: Finding, seconds: float) -> None:
        """A look ended."""
        self._ready.set(finding.value == "right")
        self._looks.labels(finding.value).inc()
        self._seconds.set(seconds)

    def deviated(self, model: ModelManifest, shares: Mapping[str, float]) -> None:
        """A model answered; by output, the share of what is allowed."""
        for output, share in shares.items():
            self._deviation.labels(model.name, model.serving_version, output).set(share)
