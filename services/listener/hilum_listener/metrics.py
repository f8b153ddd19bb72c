"""What the listener tells Prometheus.

Its processes write their figures into one folder (``PROMETHEUS_MULTIPROC_DIR``), and the one that
supervises them tells the sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from hilum.runtime.metrics import MetricsRegistry
from hilum_listener.rejections import CODES
from hilum_listener.statuses import Status

if TYPE_CHECKING:
    from pathlib import Path

    from hilum.domain.association import Association
    from hilum_listener.network.connections import Connections

_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class ListenerMetrics:
    """Counts associations and answers of one process."""

    def __init__(self) -> None:
        self.registry = MetricsRegistry()
        self._associations = Counter(
            "hilum_listener_associations_total",
            "Associations that ended, by outcome and by the reason of an early end",
            ["outcome", "reason"],
            registry=self.registry,
        )
        self._objects = Counter(
            "hilum_listener_objects_total",
            "C-STOREs by the status of the answer, in hex",
            ["status"],
            registry=self.registry,
        )
        self._bytes = Counter(
            "hilum_listener_received_bytes_total",
            "Bytes of data sets",
            registry=self.registry,
        )
        self._seconds = Histogram(
            "hilum_listener_store_duration_seconds",
            "Time from the last byte of an object to its answer",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._open = Gauge(
            "hilum_listener_open_associations",
            "Associations that are open",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._in_flight = Gauge(
            "hilum_listener_in_flight_bytes",
            "Bytes of objects that have no answer yet",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        for status in Status:
            self._objects.labels(f"{status:04X}")
        self._associations.labels("accepted", "")
        for reason in CODES:
            self._associations.labels("rejected", reason.value)

    def answered(self, status: Status, size: int, seconds: float) -> None:
        """Count a C-STORE."""
        self._objects.labels(f"{status:04X}").inc()
        self._bytes.inc(size)
        self._seconds.observe(seconds)

    def ended(self, association: Association) -> None:
        """Count an association."""
        self._associations.labels(association.outcome.value, association.reason or "").inc()

    def look(self, connections: Connections) -> None:
        """Take the present figures."""
        self._open.set(connections.associations)
        self._in_flight.set(connections.in_flight.total)


class SupervisorMetrics:
    """Tells the sums of all processes, and how many there are."""

    def __init__(self, folder: Path | None = None) -> None:
        self.registry = MetricsRegistry()
        self.processes = Gauge(
            "hilum_listener_processes",
            "Processes that take associations",
            registry=self.registry,
        )
        self.restarts = Counter(
            "hilum_listener_restarts_total",
            "Processes that died and were started again",
            registry=self.registry,
        )
        if folder is not None:
            MultiProcessCollector(self.registry, path=str(folder))  # type: ignore[no-untyped-call]
