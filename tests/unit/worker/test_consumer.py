"""A message wakes a slot: whatever comes of it, it is done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.application.queue.leases import KeepLeases
from hilum.domain.attempt import Worker
from hilum.domain.errors import DatabaseUnavailable, InternalError
from hilum.domain.job import JobState
from hilum_worker.consumer import Consumer
from hilum_worker.metrics import WorkerMetrics
from tests.contract.samples import a_film
from tests.fakes.clock import SettableClock
from tests.fakes.unit_of_work import InMemoryUnitOfWork


class DrainedItems:
    """Stands for the drain: tells the items that it was given, fails when it is told to."""

    def __init__(self) -> None:
        self.items = []
        self.failure: Exception | None = None
        self.stopped = False

    def __call__(self, tell) -> None:
        for claimed, left in self.items:
            tell(claimed, left)
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def drain() -> DrainedItems:
    return DrainedItems()


@pytest.fixture
def metrics() -> WorkerMetrics:
    second = timedelta(seconds=1)
    leases = KeepLeases(
        unit_of_work=InMemoryUnitOfWork(),
        clock=SettableClock(),
        worker=Worker(name="w", host="h", release="1.2.3", queues=(), slots=1),
        lease=second,
        max_run=second,
    )
    return WorkerMetrics(leases)


@pytest.fixture
def ready_file(tmp_path):
    return tmp_path / "ready"


@pytest.fixture
def consumer(drain, metrics, tmp_path, ready_file) -> Consumer:
    app = create_celery(f"filesystem://{tmp_path}/broker")
    return Consumer(app, drain, metrics, name="w", concurrency=1, queues=(), ready_file=ready_file)


def counted(metrics: WorkerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"hilum_worker_{name}_total", labels)


def test_a_wake_up_tells_every_item_that_it_ran(consumer, drain, metrics, caplog):
    """Each is counted by the state in which it was left, and logged."""
    caplog.set_level("INFO")
    job = a_film(state=JobState.COMPLETED).job
    drain.items = [(job, job)] * 2
    consumer.hear()
    assert counted(metrics, "jobs", state="completed", priority=job.priority.value) == 2
    assert caplog.messages == ["attempt.ended"] * 2


def test_a_lost_lease_is_not_counted(consumer, drain, metrics, caplog):
    """Another worker writes the outcome of that job, and counts it."""
    caplog.set_level("INFO")
    drain.items = [(a_film().job, None)]
    consumer.hear()
    assert caplog.messages == []
    assert counted(metrics, "jobs", state="completed", priority="routine") == 0


@pytest.mark.parametrize(
    ("failure", "where"),
    [
        (DatabaseUnavailable("down"), "database"),
        (InternalError("defect"), "job"),
        (RuntimeError("defect"), "job"),
    ],
)
def test_what_could_not_be_run_is_left_to_the_reconciler(
    consumer, drain, metrics, failure, where, caplog
):
    """The message is done. The database says that the job is not."""
    drain.failure = failure
    consumer.hear()
    assert counted(metrics, "errors", where=where) == 1
    (event,) = caplog.messages
    assert event == ("drain.failed" if where == "database" else "drain.crashed")


def test_a_worker_that_runs_work_without_a_broker_is_ready(consumer, ready_file):
    """Only a wake-up that the broker did not bring says so."""
    consumer.hear()
    assert not ready_file.exists()
    assert not consumer.waits_for_broker
    consumer.hear_alone()
    assert ready_file.exists()


def test_a_worker_that_leaves_is_not_ready_again(consumer, drain, ready_file):
    """Also where its lone slot is woken in that moment."""
    consumer.hear_alone()
    consumer._leaving()  # noqa: SLF001 - Celery's signal calls it
    assert drain.stopped
    consumer.hear_alone()
    assert not ready_file.exists()
