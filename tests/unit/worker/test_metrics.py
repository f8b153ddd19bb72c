"""What Prometheus reads of a worker."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from hilum.application.queue.breaker import MOST_OUTAGES, Breaker, BreakerState
from hilum.application.queue.leases import KeepLeases
from hilum.application.queue.reconcile import Reconciliation
from hilum.domain.attempt import Worker
from hilum.domain.errors import Dependency
from hilum.domain.job import Job, JobState, Priority
from hilum_worker.metrics import WorkerMetrics
from tests.contract.samples import a_film
from tests.fakes.clock import FIRST_MOMENT, SettableClock
from tests.fakes.unit_of_work import InMemoryUnitOfWork


@pytest.fixture
def leases() -> KeepLeases:
    return KeepLeases(
        unit_of_work=InMemoryUnitOfWork(),
        clock=SettableClock(),
        worker=Worker(name="w", host="h", release="1.2.3", queues=(), slots=1),
        lease=timedelta(seconds=60),
        max_run=timedelta(seconds=300),
    )


@pytest.fixture
def metrics(leases) -> WorkerMetrics:
    return WorkerMetrics(leases)


def job(state: JobState, **timings: float) -> Job:
    return Job(
        id=uuid4(),
        study_id=uuid4(),
        instance_id=uuid4(),
        site="s",
        filename="f",
        state=state,
        priority=Priority.STAT,
        model_set="m",
        idempotency_key="k",
        created_at=FIRST_MOMENT,
        updated_at=FIRST_MOMENT,
        timings_ms=timings,
    )


def test_jobs_are_counted_by_the_state_in_which_they_were_left(metrics):
    """And their stages timed, in seconds."""
    for state in (JobState.COMPLETED, JobState.COMPLETED, JobState.QUEUED):
        metrics.job_left(job(state, decode=250.0))
    value = metrics.registry.get_sample_value
    labels = {"state": "completed", "priority": "stat"}
    assert value("hilum_worker_jobs_total", labels) == 2
    assert value("hilum_worker_stage_seconds_sum", {"stage": "decode"}) == 0.75
    assert value("hilum_worker_stage_seconds_bucket", {"stage": "decode", "le": "0.2"}) == 0
    assert value("hilum_worker_stage_seconds_bucket", {"stage": "decode", "le": "0.5"}) == 3


def test_what_can_be_counted_is_told_before_it_happens(metrics):
    """Prometheus sees the first parked film of a pod only as a step from zero."""
    value = metrics.registry.get_sample_value
    for state in ("completed", "rejected", "failed", "queued"):
        for priority in Priority:
            labels = {"state": state, "priority": priority.value}
            assert value("hilum_worker_jobs_total", labels) == 0
    for action in ("released", "parked", "raised", "rung"):
        assert value("hilum_worker_reconciled_jobs_total", {"action": action}) == 0
    for where in ("database", "job", "heartbeat", "reconciler", "breakers"):
        assert value("hilum_worker_errors_total", {"where": where}) == 0


def test_jobs_in_flight_are_those_whose_leases_are_kept(metrics, leases):
    """Asked when it is scraped."""
    with leases.hold(a_film().job), leases.hold(a_film().job):
        assert metrics.registry.get_sample_value("hilum_worker_jobs_in_flight") == 2
    assert metrics.registry.get_sample_value("hilum_worker_jobs_in_flight") == 0


def test_the_reconcilers_work_and_errors_are_counted(metrics):
    """By what was done, and by where it failed."""
    metrics.reconciled(Reconciliation(released=1, parked=2, raised=4, woken=3))
    metrics.error("heartbeat")
    value = metrics.registry.get_sample_value
    counted = {
        action: value("hilum_worker_reconciled_jobs_total", {"action": action})
        for action in ("released", "parked", "raised", "rung")
    }
    assert counted == {"released": 1, "parked": 2, "raised": 4, "rung": 3}
    assert value("hilum_worker_errors_total", {"where": "heartbeat"}) == 1


def test_the_state_of_each_breaker_is_told(leases):
    """As a number, asked when it is scraped."""
    breaker = Breaker(slots=2)
    metrics = WorkerMetrics(leases, {Dependency.INFERENCE: breaker})
    labels = {"dependency": "inference"}
    value = metrics.registry.get_sample_value
    assert value("hilum_worker_breaker_state", labels) == 0
    for _ in range(MOST_OUTAGES):
        breaker.outage()
    assert value("hilum_worker_breaker_state", labels) == 2
    while breaker.state is BreakerState.OPEN:
        breaker.look(lambda: False)
    assert value("hilum_worker_breaker_state", labels) == 1
