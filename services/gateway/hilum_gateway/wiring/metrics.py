"""What the gateway tells Prometheus."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from hilum.application.intake.submission import RefusedFile
from hilum.domain.errors import HilumError
from hilum.domain.job import ANALYSIS, JobState
from hilum.runtime.metrics import MetricsRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hilum.application.intake.submission import SubmissionAnswer
    from hilum.application.queue.measure_queues import QueueDepths

_LOG = logging.getLogger(__name__)

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST

_QUEUES_KEPT_S: Final = 2.0
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})


class Metrics:
    """Counts and times what this process does, and measures the queues when it is asked."""

    def __init__(self, depths: Callable[[], QueueDepths]) -> None:
        self.registry = MetricsRegistry()
        self._requests = Counter(
            "hilum_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "hilum_http_request_duration_seconds",
            "Time to the end of the answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._images = Counter(
            "hilum_images",
            "Images submitted, by what became of them at ingestion.",
            ("outcome", "code"),
            registry=self.registry,
        )
        self.event_streams = Gauge(
            "hilum_event_streams", "Open event streams.", registry=self.registry
        )
        self.registry.register(_Queues(depths))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; status 0 is one that the client left before an answer."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def observe_submission(self, submitted: SubmissionAnswer) -> None:
        """Count the films of one upload."""
        for file in submitted.files:
            if isinstance(file, RefusedFile):
                self._images.labels("refused", file.error.code).inc()
            else:
                self._images.labels("duplicate" if file.duplicate else "accepted", "").inc()

    def render(self) -> bytes:
        """The exposition format, text version 0.0.4 or newer (see :data:`MEDIA_TYPE`)."""
        return generate_latest(self.registry)


class _Queues(Collector):
    """Depth of the queues, measured in the database and kept for a moment.

    Several Prometheus servers, or a nervous one, cost one query in two seconds. A database that
    is down leaves the series out: a gap in a graph is true, a zero would not be.
    """

    def __init__(self, depths: Callable[[], QueueDepths]) -> None:
        self._depths = depths
        self._lock = threading.Lock()
        self._kept: QueueDepths | None = None
        self._kept_until = 0.0

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: so that registering asks no database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Items in hand, dead letters, and the age of the oldest that waits."""
        jobs = _gauge("hilum_jobs", "Work in hand.", "priority", "state")
        oldest = _gauge("hilum_oldest_queued_seconds", "Longest wait in the queue.", "priority")
        work = _gauge("hilum_work", "Items of each kind of work in hand.", "kind", "state")
        oldest_of = _gauge(
            "hilum_work_oldest_queued_seconds", "Longest wait of each kind of work.", "kind"
        )
        dead = _gauge("hilum_dead_letters", "Failed items until an operator acts.", "kind")
        sending = _gauge("hilum_deliveries_waiting", "Results on their way.", "destination")
        slowest = _gauge(
            "hilum_deliveries_oldest_waiting_seconds",
            "Longest wait of a result for its destination.",
            "destination",
        )
        refused = _gauge(
            "hilum_deliveries_failed", "Results not taken, until an operator acts.", "destination"
        )
        families = jobs, oldest, work, oldest_of, dead, sending, slowest, refused
        measured = self._measured()
        if measured is None:
            return families
        for kind, depths in measured.kinds.items():
            waits = {priority: measured.wait(depth) for priority, depth in depths.items()}
            of_kind = depths.values()
            work.add_metric((kind, JobState.QUEUED.value), sum(one.queued for one in of_kind))
            work.add_metric((kind, JobState.RUNNING.value), sum(one.running for one in of_kind))
            dead.add_metric((kind,), sum(one.failed for one in of_kind))
            oldest_of.add_metric((kind,), max(waits.values()))
            for priority, depth in depths.items() if kind == ANALYSIS.kind else ():
                jobs.add_metric((priority.value, JobState.QUEUED.value), depth.queued)
                jobs.add_metric((priority.value, JobState.RUNNING.value), depth.running)
                oldest.add_metric((priority.value,), waits[priority])
        for name, of_name in measured.destinations.items():
            sending.add_metric((name,), of_name.waiting)
            slowest.add_metric((name,), measured.age(of_name.oldest_waiting_at))
            refused.add_metric((name,), of_name.failed)
        return families

    def _measured(self) -> QueueDepths | None:
        with self._lock:
            if time.monotonic() >= self._kept_until:
                try:
                    self._kept = self._depths()
                except HilumError as error:
                    _LOG.warning("measurement.failed", extra={"error": error.sentence})
                    self._kept = None
                self._kept_until = time.monotonic() + _QUEUES_KEPT_S
            return self._kept


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)
