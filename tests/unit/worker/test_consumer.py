"""A message is a ring: whatever comes of it, it is done."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.application.messages import AnalyseJob
from hilum.application.use_cases.keep_leases import KeepLeases
from hilum.domain.errors import DatabaseUnavailable, InternalError
from hilum.domain.job import Priority
from hilum_worker.consumer import Consumer
from hilum_worker.metrics import WorkerMetrics
from tests.fakes.clock import SettableClock
from tests.fakes.unit_of_work import InMemoryUnitOfWork


class Heard:
    """Stands for the use case: remembers the jobs, fails when it is told to."""

    def __init__(self) -> None:
        self.jobs = []
        self.failure: Exception | None = None

    def __call__(self, job_id) -> None:
        self.jobs.append(job_id)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def metrics() -> WorkerMetrics:
    second = timedelta(seconds=1)
    leases = KeepLeases(
        unit_of_work=InMemoryUnitOfWork(),
        clock=SettableClock(),
        owner="w",
        lease=second,
        max_run=second,
    )
    return WorkerMetrics(leases)


@pytest.fixture
def consumer(heard, metrics, tmp_path) -> Consumer:
    app = create_celery(f"filesystem://{tmp_path}/broker")
    return Consumer(app, heard, metrics, name="w", concurrency=1, priorities=(), ready_file=None)


def errors(metrics: WorkerMetrics, where: str) -> float | None:
    return metrics.registry.get_sample_value("hilum_worker_errors_total", {"where": where})


def test_a_message_runs_the_job_that_it_names(consumer, heard):
    """By keyword, as the gateway sends it, or by position."""
    messages = [AnalyseJob(uuid4(), priority) for priority in Priority]
    for message in messages:
        consumer.hear((), message.payload())
    consumer.hear(tuple(messages[0].payload().values()), {})
    assert heard.jobs == [message.job_id for message in [*messages, messages[0]]]


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        ((), {}),
        ((), {"job_id": "x", "priority": "stat"}),
        ((), {"job_id": None, "priority": "stat"}),
        ((), {"job_id": 7, "priority": "stat"}),
        ((), {"job_id": str(uuid4()), "priority": "urgent"}),
        ((), {"job_id": str(uuid4()), "priority": "stat", "more": 1}),
        (("a", "b", "c"), {}),
    ],
)
def test_a_malformed_message_is_dropped_and_counted(consumer, heard, metrics, arguments, payload):
    """It is logged, and nothing runs."""
    consumer.hear(arguments, payload)
    assert heard.jobs == []
    assert errors(metrics, "message") == 1


@pytest.mark.parametrize(
    ("failure", "where"),
    [
        (DatabaseUnavailable("down"), "database"),
        (InternalError("defect"), "job"),
        (RuntimeError("defect"), "job"),
    ],
)
def test_a_job_that_could_not_be_run_is_left_to_the_reconciler(
    consumer, heard, metrics, failure, where, caplog
):
    """The message is done; the database says that the job is not."""
    heard.failure = failure
    consumer.hear((), AnalyseJob(uuid4(), Priority.STAT).payload())
    assert errors(metrics, where) == 1
    assert "reconciler" in caplog.text
