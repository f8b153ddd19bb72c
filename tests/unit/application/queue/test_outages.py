"""Outages take no attempt of a job, however long they last. A job that fails by itself has few."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from hilum.application.queue import dependencies
from hilum.application.queue.breaker import MOST_OUTAGES, PROBE_PAUSES_S, BreakerState
from hilum.application.queue.drain import Drain
from hilum.domain.errors import (
    DatabaseUnavailable,
    Dependency,
    InferenceUnavailable,
    ObjectStoreUnavailable,
)
from hilum.domain.job import Job, JobState, Priority
from hilum.domain.retry_policy import RetryPolicy
from hilum.domain.work import AttemptOutcome
from tests.unit.application.stage import Stage, film

if TYPE_CHECKING:
    from collections.abc import Callable

TWENTY_MINUTES = 20 * 60
MIXED = (Priority.BATCH, Priority.ROUTINE, Priority.STAT)
BACK_WITHIN_S = 15


@pytest.fixture
def stage() -> Stage:
    return Stage()


class Worker:
    """A worker of one slot that is woken every second, as reconcilers do, and what it left."""

    def __init__(self, stage: Stage, *, slots: int = 2) -> None:
        self.stage = stage
        self.dependencies = stage.dependencies(slots)
        self.left: list[Job] = []
        run_next = stage.run_next(stage.leases, self.dependencies)
        self._drain = Drain(run_next, stage.queue, tuple(Priority))

    def second(self) -> None:
        """Do all that a worker does within a second."""
        self.stage.advance(1)
        self.dependencies.look()
        try:
            self.stage.reconcile()
            self._drain(lambda _, left: self.left.append(left))
        except DatabaseUnavailable:
            return

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second()

    def state(self, dependency: Dependency) -> BreakerState:
        return self.dependencies.breakers[dependency].state


def part(stage: Stage, dependency: Dependency) -> Any:
    """The fake that can be told to be away."""
    return {
        Dependency.DATABASE: stage.unit_of_work,
        Dependency.OBJECT_STORE: stage.store,
        Dependency.BROKER: stage.queue,
        Dependency.INFERENCE: stage.engine,
    }[dependency]


def waiting(stage: Stage, count: int = 12) -> list[Job]:
    """Jobs of every priority, the least urgent first."""
    return [stage.queued(film(1 + n), MIXED[n * len(MIXED) // count]) for n in range(count)]


@pytest.mark.parametrize("dependency", [one for one in Dependency if one != "destination"])
def test_twenty_minutes_away_spend_no_attempt(stage, dependency):
    """Nothing is dead-lettered. After the return all end within 15 s, STAT first."""
    jobs = waiting(stage)
    worker = Worker(stage)
    part(stage, dependency).available = False
    worker.run(TWENTY_MINUTES)
    part(stage, dependency).available = True
    worker.left.clear()
    worker.run(BACK_WITHIN_S)
    ended = [stage.job(job.id) for job in jobs]
    assert {(job.state, job.attempts, job.losses) for job in ended} == {(JobState.COMPLETED, 1, 0)}
    if dependency is not Dependency.BROKER:  # without it they end while it is away
        assert [job.priority for job in worker.left] == sorted(
            (job.priority for job in jobs), key=list(Priority).index
        )


@pytest.mark.parametrize("dependency", [Dependency.OBJECT_STORE, Dependency.INFERENCE])
def test_twenty_minutes_without_a_probe_would_dead_letter(stage, dependency, monkeypatch):
    """The control: with every failure counted, the same outage uses up the budgets."""
    monkeypatch.setattr(dependencies.Dependencies, "is_outage", lambda *_: False)
    jobs = waiting(stage)
    worker = Worker(stage)
    part(stage, dependency).available = False
    worker.run(TWENTY_MINUTES)
    assert {stage.job(job.id).state for job in jobs} == {JobState.FAILED}


@pytest.mark.parametrize("dependency", [Dependency.OBJECT_STORE, Dependency.INFERENCE])
def test_an_outage_is_written_and_ends_claims(stage, dependency):
    """The reason is kept, the attempt is given back, and a few outages open the breaker."""
    jobs = waiting(stage)
    worker = Worker(stage)
    part(stage, dependency).available = False
    worker.second()
    assert len(worker.left) == MOST_OUTAGES
    assert {job.state for job in worker.left} == {JobState.QUEUED}
    assert {job.reason.code for job in worker.left} == {f"{dependency}_unavailable"}
    assert {(job.attempts, job.not_before) for job in worker.left} == {(0, None)}
    assert worker.state(dependency) is BreakerState.OPEN
    worker.run(60)
    assert len(worker.left) == MOST_OUTAGES
    queued = [event for event in stage.events() if event.action == "job.queued"]
    assert len(queued) == MOST_OUTAGES
    with stage.unit_of_work.begin(write=False) as transaction:
        kept = [one for job in jobs for one in transaction.attempts.of("analysis", job.id)]
    assert [one.outcome for one in kept] == [AttemptOutcome.OUTAGE] * MOST_OUTAGES
    assert {stage.job(job.id).state for job in jobs} == {JobState.QUEUED}


def test_an_image_that_a_healthy_server_cannot_analyse_is_dead_lettered(stage):
    """The probe says that the server is well, so the image has its budget. Others are analysed."""
    poison = stage.queued(film(200))
    others = waiting(stage)

    def fail() -> None:
        if stage.engine_sees(poison):
            raise InferenceUnavailable("deadline exceeded")

    stage.fail_on_images(fail)
    worker = Worker(stage)
    worker.run(3600)
    failed = stage.job(poison.id)
    assert (failed.state, failed.attempts) == (JobState.FAILED, stage.policy.max_attempts)
    assert failed.reason.code == "inference_unavailable"
    ended = {(stage.job(job.id).state, stage.job(job.id).attempts) for job in others}
    assert ended == {(JobState.COMPLETED, 1)}
    assert worker.state(Dependency.INFERENCE) is BreakerState.CLOSED


def test_an_image_that_takes_the_server_down_is_dead_lettered(stage):
    """Its runs as a trial count. The server comes back each time, and the others are analysed."""
    poison = stage.queued(film(200), Priority.STAT)
    others = waiting(stage)
    comes_back_at = [0.0]

    def fail() -> None:
        if stage.engine_sees(poison):
            stage.engine.available = False
            comes_back_at[0] = stage.clock.now().timestamp() + 10

    stage.fail_on_images(fail)
    worker = Worker(stage)
    for _ in range(3600):
        stage.engine.available |= stage.clock.now().timestamp() >= comes_back_at[0]
        worker.second()
    failed = stage.job(poison.id)
    assert (failed.state, failed.attempts) == (JobState.FAILED, stage.policy.max_attempts)
    ended = {(stage.job(job.id).state, stage.job(job.id).attempts) for job in others}
    assert ended == {(JobState.COMPLETED, 1)}


def test_a_server_that_answers_and_works_for_nobody_is_down(stage):
    """The probe is an inference: a server that is ready and fails at it is down."""
    stage.engine.failure = InferenceUnavailable("the queue is full")
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


def test_a_store_that_reads_and_does_not_write_is_down(stage):
    """The probe stores an object and fetches it."""
    job = stage.queued()

    def fail(*_: object, **__: object) -> int:
        raise ObjectStoreUnavailable("no space left")

    stage.store.get = stage.store.put = fail
    assert stage.analyse(job.id).attempts == 0


def test_a_probe_that_hangs_says_down(stage, monkeypatch):
    """It is waited for so long and not longer, also while the one before it hangs still."""
    monkeypatch.setattr(dependencies, "PROBE_BOUND_S", 0.05)
    let_go = threading.Event()
    infer = stage.engine.infer

    def hang(model, films):
        if films.any():
            raise InferenceUnavailable("deadline exceeded")
        let_go.wait()
        return infer(model, films)

    stage.engine.infer = hang
    try:
        job = stage.queued()
        assert stage.analyse(job.id).attempts == 0
        assert stage.analyse(job.id).attempts == 0
    finally:
        let_go.set()
    monkeypatch.undo()
    assert stage.analyse(job.id).attempts == 1


def away_for(stage: Stage, seconds: float) -> Callable[[], None]:
    """Take the database away now, for so long."""
    until = stage.clock.now().timestamp() + seconds

    def look() -> None:
        stage.unit_of_work.available = stage.clock.now().timestamp() >= until

    stage.during_pause = look

    def go() -> None:
        stage.unit_of_work.available = False
        raise DatabaseUnavailable("the server closed the connection")

    return go


def test_a_database_that_goes_during_a_run_takes_no_attempt(stage):
    """The outage is written when it is back, up to a minute later."""
    job = stage.queued()
    stage.fail_on_images(away_for(stage, 50))
    left = stage.analyse(job.id)
    assert (left.state, left.attempts, left.losses) == (JobState.QUEUED, 0, 0)
    assert left.reason.code == "database_unavailable"


def test_a_database_that_asks_for_a_repetition_costs_an_attempt(stage):
    """A deadlock in a run is no outage: the database answers."""

    def fail() -> None:
        raise DatabaseUnavailable("deadlock detected")

    stage.fail_on_images(fail)
    job = stage.analyse(stage.queued().id)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert job.not_before is not None


def test_a_breaker_of_one_dependency_asks_that_one_alone(stage):
    """A probe that is due does not wait for others, and the store is not written to for nothing."""
    waiting(stage)
    worker = Worker(stage)
    stage.engine.available = False
    worker.run(2 * int(PROBE_PAUSES_S[-1]))
    assert not [key for key in stage.store.objects if key.startswith("probes/")]
    stage.store.available = False
    stage.engine.available = True
    worker.run(2 * int(PROBE_PAUSES_S[-1]))
    assert worker.state(Dependency.OBJECT_STORE) is BreakerState.OPEN
    stage.store.available = True
    worker.run(2 * int(PROBE_PAUSES_S[-1]))
    assert [key for key in stage.store.objects if key.startswith("probes/")] == ["probes/worker"]


def test_the_last_attempt_is_not_spent_on_an_outage():
    """A job with one attempt left still has it afterwards."""
    stage = Stage(policy=RetryPolicy(max_attempts=1))
    job = stage.queued()
    stage.engine.available = False
    for _ in range(2):
        assert stage.analyse(job.id).state is JobState.QUEUED
    stage.engine.available = True
    assert stage.analyse(job.id).state is JobState.COMPLETED
