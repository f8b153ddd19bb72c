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

from hilum.application.submission import RefusedFile
from hilum.domain.errors import HilumError
from hilum.domain.job import JobState, Priority
from hilum.runtime.metrics import MetricsRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from hilum.application.ports.repositories import QueueDepth
    from hilum.application.submission import SubmittedStudy

_LOG = logging.getLogger(__name__)

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST

_QUEUES_KEPT_S: Final = 2.0
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})


class Metrics:
    """Counts and times what this process does, and measures the queues when it is asked."""

    def __init__(
        self,
        depths: Callable[[], Mapping[Priority, QueueDepth]],
        now: Callable[[], datetime],
    ) -> None:
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
        self.registry.register(_Queues(depths, now))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; status 0 is one that the client left before an answer."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def observe_submission(self, submitted: SubmittedStudy) -> None:
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

    def __init__(
        self,
        depths: Callable[[], Mapping[Priority, QueueDepth]],
        now: Callable[[], datetime],
    ) -> None:
        self._depths = depths
        self._now = now
        self._lock = threading.Lock()
        self._kept: Mapping[Priority, QueueDepth] = {}
        self._kept_until = 0.0

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: so that registering asks no database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Jobs by priority and state, and the age of the oldest that waits."""
        jobs = GaugeMetricFamily("hilum_jobs", "Work in hand.", labels=("priority", "state"))
        oldest = GaugeMetricFamily(
            "hilum_oldest_queued_seconds", "Longest wait in the queue.", labels=("priority",)
        )
        now = self._now()
        for priority, depth in self._measured().items():
            jobs.add_metric((priority.value, JobState.QUEUED.value), depth.queued)
            jobs.add_metric((priority.value, JobState.RUNNING.value), depth.running)
            waited = (now - depth.oldest_queued_at).total_seconds() if depth.oldest_queued_at else 0
            oldest.add_metric((priority.value,), max(0.0, waited))
        return jobs, oldest

    def _measured(self) -> Mapping[Priority, QueueDepth]:
        with self._lock:
            if time.monotonic() >= self._kept_until:
                try:
                    self._kept = self._depths()
                except HilumError as error:
                    _LOG.warning("queues not measured: %s", error)
                    self._kept = {}
                self._kept_until = time.monotonic() + _QUEUES_KEPT_S
            return self._kept
