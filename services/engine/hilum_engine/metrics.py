"""What was built and what fell back, as a Prometheus text file for node_exporter to pick up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_engine.builder import Device
    from hilum_engine.errors import Reason


class EngineMetrics:
    """Gauges of one run; an init container lives too shortly to be scraped."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._fallback = self._gauge(
            "hilum_engine_fallback",
            "1: the model is served by ONNX Runtime, since it has no engine",
            "model",
            "version",
            "reason",
        )
        self._ready = self._gauge(
            "hilum_engine_ready", "1: the model is served by a checked engine", "model", "version"
        )
        self._seconds = self._gauge(
            "hilum_engine_build_seconds",
            "Time that building and checking took; 0: it was in the cache",
            "model",
            "version",
        )
        self._gap = self._gauge(
            "hilum_engine_deviation",
            "Largest deviation from ONNX Runtime that the check found",
            "model",
            "version",
            "output",
        )
        self._device = self._gauge(
            "hilum_engine_device", "What engines are built for", "tensorrt", "gpu", "capability"
        )

    def device(self, device: Device) -> None:
        """What is built for."""
        self._device.labels(device.tensorrt, device.gpu, device.compute_capability).set(1)

    def ready(self, model: str, version: int, seconds: float, gaps: dict[str, float]) -> None:
        """A model has its engine.

        Args:
            model: Its name.
            version: Its serving version.
            seconds: Of building and checking; 0 where it was in the cache.
            gaps: What the check found; empty where it was in the cache.
        """
        self._ready.labels(model, version).set(1)
        self._seconds.labels(model, version).set(seconds)
        for output, gap in gaps.items():
            self._gap.labels(model, version, output).set(gap)

    def fallback(self, model: str, version: int, reason: Reason) -> None:
        """A model has none."""
        self._ready.labels(model, version).set(0)
        self._fallback.labels(model, version, reason.value).set(1)

    def write(self, path: Path) -> None:
        """Write the file in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)
