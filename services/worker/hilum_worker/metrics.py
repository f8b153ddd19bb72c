"""What the worker tells Prometheus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from hilum.application.queue.breaker import BreakerState
from hilum.domain.job import ANALYSIS, JobState, Priority
from hilum.runtime.metrics import MetricsRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.application.queue.breaker import Breaker
    from hilum.application.queue.leases import KeepLeases
    from hilum.application.queue.reconcile import Reconciliation
    from hilum.domain.errors import Dependency
    from hilum.domain.job import Job

_STAGE_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

LEFT_IN: Final = frozenset(
    after for (before, _), after in ANALYSIS.transitions.items() if before is JobState.RUNNING
)
"""States in which a worker can leave a job that it ran."""
PLACES: Final = ("database", "job", "heartbeat", "reconciler", "breakers")
"""Where something beside a film can fail; the last three are timers, by their names."""
_STATES: Final = tuple(BreakerState)
_ACTIONS: Final = {"released": "released", "parked": "parked", "raised": "raised", "rung": "woken"}
"""Label of an action, and its field of a reconciliation."""


class WorkerMetrics:
    """Counts the jobs of this process."""

    def __init__(
        self, leases: KeepLeases, breakers: Mapping[Dependency, Breaker] | None = None
    ) -> None:
        self.registry = MetricsRegistry()
        self._left = Counter(
            "hilum_worker_jobs_total",
            "Jobs by the state in which this worker left them",
            ["state", "priority"],
            registry=self.registry,
        )
        self._stages = Histogram(
            "hilum_worker_stage_seconds",
            "Time by stage of a job",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self._errors = Counter(
            "hilum_worker_errors_total",
            "Errors that were not a film's: a database that is down, a failed background task",
            ["where"],
            registry=self.registry,
        )
        self._reconciled = Counter(
            "hilum_worker_reconciled_jobs_total",
            "What this worker's reconciler did with jobs",
            ["action"],
            registry=self.registry,
        )
        in_flight = Gauge(
            "hilum_worker_jobs_in_flight", "Jobs that run now", registry=self.registry
        )
        in_flight.set_function(lambda: leases.in_flight)

        hanging = Gauge(
            "hilum_worker_jobs_hanging",
            "Runs that have taken too long; each costs a thread",
            registry=self.registry,
        )
        hanging.set_function(lambda: leases.given_up)
        states = Gauge(
            "hilum_worker_breaker_state",
            "Whether work that needs a dependency is claimed: 0 closed, 1 half-open, 2 open",
            ["dependency"],
            registry=self.registry,
        )
        for dependency, breaker in (breakers or {}).items():
            states.labels(dependency).set_function(partial(_number, breaker))
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Tell every series from the start: a rate does not see the first count of a new one."""
        for state in LEFT_IN:
            for priority in Priority:
                self._left.labels(state.value, priority.value)
        for where in PLACES:
            self._errors.labels(where)
        for action in _ACTIONS:
            self._reconciled.labels(action)

    def job_left(self, job: Job) -> None:
        """A job was completed, rejected, parked or released."""
        self._left.labels(job.state.value, job.priority.value).inc()
        for stage, milliseconds in job.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def error(self, where: str) -> None:
        """Something beside a film failed."""
        self._errors.labels(where).inc()

    def reconciled(self, did: Reconciliation) -> None:
        """A run of the reconciler ended."""
        for action, field in _ACTIONS.items():
            self._reconciled.labels(action).inc(getattr(did, field))


def _number(breaker: Breaker) -> float:
    return _STATES.index(breaker.state)
