"""Jobs that nobody works on are found, and rung for."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from hilum.application.use_cases.reconcile_jobs import ReconcileSettings, Reconciliation
from hilum.domain.errors import BrokerUnavailable, DatabaseUnavailable
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import RECONCILER
from hilum.domain.retry_policy import RetryPolicy
from tests.unit.application.stage import LEASE, Stage, film

NOTHING = Reconciliation()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def lost(stage: Stage, shade: int = 7):
    """A job whose worker was killed."""
    job = stage.queued(film(shade))
    with stage.unit_of_work.begin() as transaction:
        transaction.jobs.claim(job.id, "dead", stage.clock.now(), LEASE)
    stage.queue.flush()
    return job


def test_where_all_is_well_nothing_is_done(stage):
    """Waiting for a worker, running within its lease, done: none of these is touched."""
    stage.queued(film(1))
    running = stage.queued(film(2))
    with stage.unit_of_work.begin() as transaction:
        transaction.jobs.claim(running.id, "w2", stage.clock.now(), LEASE)
    stage.analyse(stage.queued(film(3)).id)
    before = stage.events()
    assert stage.reconcile() == NOTHING
    assert stage.events() == before
    assert len(stage.queue.rung) == 3


def test_a_job_of_a_dead_worker_is_queued_again(stage):
    """With a loss on its account, a reason, a backoff, and an audit event."""
    job = lost(stage)
    stage.advance(LEASE.total_seconds() - 1)
    assert stage.reconcile() == NOTHING
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(released=1)
    found = stage.job(job.id)
    assert (found.state, found.losses, found.attempts) == (JobState.QUEUED, 1, 1)
    assert found.reason.code == "worker_lost"
    assert "dead" in found.reason.detail
    assert found.not_before > stage.clock.now()
    event = stage.events()[-1]
    assert (event.actor, event.action) == (RECONCILER, "job.queued")
    assert event.details == {"reason": "worker_lost", "losses": 1}


def test_it_is_rung_for_once_its_backoff_is_over(stage):
    """And not before; then it is read."""
    job = lost(stage)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile().rung == 0
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(rung=1)
    assert stage.analyse(stage.queue.hear().job_id).id == job.id


def test_a_film_that_kills_its_workers_is_parked():
    """It harms the films beside it, so its budget is small."""
    stage = Stage(policy=RetryPolicy(max_losses=3))
    job = stage.queued()
    for loss in range(1, 4):
        with stage.unit_of_work.begin() as transaction:
            assert transaction.jobs.claim(job.id, f"dead{loss}", stage.clock.now(), LEASE)
        stage.advance(LEASE.total_seconds())
        expected = Reconciliation(parked=1) if loss == 3 else Reconciliation(released=1)
        assert stage.reconcile() == expected
        stage.advance(600)
    parked = stage.job(job.id)
    assert (parked.state, parked.losses, parked.reason.code) == (
        JobState.FAILED,
        3,
        "worker_lost",
    )
    assert stage.actions()[-1] == "job.failed"
    assert stage.reconcile() == NOTHING


def test_the_last_attempt_that_is_lost_parks_the_job_too():
    """Attempts count whatever ended them."""
    stage = Stage(policy=RetryPolicy(max_attempts=1))
    job = lost(stage)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile() == Reconciliation(parked=1)
    assert stage.job(job.id).attempts == 1


def test_a_heartbeat_keeps_a_job_from_the_reconciler(stage):
    """A slow film is not a lost one."""
    job = stage.queued()
    with stage.unit_of_work.begin() as transaction:
        transaction.jobs.claim(job.id, stage.leases.owner, stage.clock.now(), LEASE)
    with stage.leases.hold(job.id):
        for _ in range(6):
            stage.advance(LEASE.total_seconds() / 3)
            stage.leases.beat()
            assert stage.reconcile() == NOTHING


def test_a_ring_that_nobody_heard_is_rung_again(stage):
    """The broker lost its data with jobs waiting."""
    jobs = [stage.queued(film(n)) for n in range(3)]
    stage.queue.flush()
    stage.advance(15)
    assert stage.reconcile() == NOTHING
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(rung=3)
    assert {stage.queue.hear().job_id for _ in range(3)} == {job.id for job in jobs}


def test_it_is_patient_with_its_own_rings_as_well(stage):
    """One ring in each span of patience, not one in each run."""
    stage.queued()
    stage.queue.flush()
    stage.advance(16)
    assert stage.reconcile().rung == 1
    stage.queue.flush()
    stage.advance(5)
    assert stage.reconcile().rung == 0
    stage.advance(11)
    assert stage.reconcile().rung == 1


def test_a_deep_queue_is_not_rung_for_again():
    """Enough rings wait in the broker: more would only fill it."""
    stage = Stage(settings=ReconcileSettings(low_water=2))
    for n in range(5):
        stage.queued(film(n))
    stage.advance(60)
    assert stage.reconcile().rung == 0
    stage.queue.flush()
    assert stage.reconcile().rung == 2


def test_rings_are_topped_up_to_the_low_water_mark_oldest_first():
    """So a flushed broker fills slowly, with the films that have waited longest."""
    stage = Stage(settings=ReconcileSettings(low_water=2))
    jobs = []
    for n in range(4):
        jobs.append(stage.queued(film(n)))
        stage.advance(1)
    stage.queue.flush()
    stage.advance(60)
    assert stage.reconcile().rung == 2
    assert [stage.queue.hear().job_id for _ in range(2)] == [job.id for job in jobs[:2]]
    assert stage.reconcile().rung == 2
    assert [stage.queue.hear().job_id for _ in range(2)] == [job.id for job in jobs[2:]]


def test_each_priority_has_a_low_water_mark_of_its_own():
    """A full queue of batch work does not keep a stat film waiting."""
    stage = Stage(settings=ReconcileSettings(low_water=1))
    stage.queued(film(1), Priority.BATCH)
    urgent = stage.queued(film(2), Priority.STAT)
    while stage.queue.hear().priority is not Priority.STAT:
        pass
    stage.advance(60)
    assert stage.reconcile().rung == 1
    assert stage.queue.hear().job_id == urgent.id


def test_a_broker_that_is_down_does_not_stop_the_recovery_of_lost_jobs(stage):
    """They are queued again now, and rung for when the broker is back."""
    job = lost(stage)
    stage.advance(LEASE.total_seconds())
    stage.queue.available = False
    assert stage.reconcile() == Reconciliation(released=1)
    stage.queue.available = True
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(rung=1)
    assert stage.queue.hear().job_id == job.id


def test_a_broker_that_goes_down_between_counting_and_ringing_costs_a_while(stage):
    """Nothing is said to have been rung; patience later it is rung for."""
    stage.queued()
    stage.queue.flush()
    stage.advance(16)
    ring = stage.queue.ring

    def fail(messages):
        raise BrokerUnavailable("down")

    stage.queue.ring = fail
    assert stage.reconcile().rung == 0
    stage.queue.ring = ring
    stage.advance(16)
    assert stage.reconcile().rung == 1


def test_one_process_reconciles_at_a_time(stage, monkeypatch):
    """Who does not get the lock does nothing."""
    lost(stage)
    stage.advance(LEASE.total_seconds())
    begin = stage.unit_of_work.begin

    @contextmanager
    def locked(*, write=True):
        with begin(write=write) as transaction:
            monkeypatch.setattr(type(transaction), "try_lock", lambda *_: False)
            yield transaction

    stage.unit_of_work.begin = locked
    assert stage.reconcile() == NOTHING
    monkeypatch.undo()
    stage.unit_of_work.begin = begin
    assert stage.reconcile().released == 1


def test_a_database_that_is_down_is_told(stage):
    """The next run will."""
    stage.unit_of_work.available = False
    with pytest.raises(DatabaseUnavailable):
        stage.reconcile()


def test_only_so_many_leases_are_looked_at_in_one_run():
    """A crowd of lost jobs is taken back in steps, oldest lease first."""
    stage = Stage(settings=ReconcileSettings(batch=2))
    jobs = []
    for n in range(3):
        jobs.append(lost(stage, n))
        stage.advance(1)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile().released == 2
    assert stage.job(jobs[2].id).state is JobState.RUNNING
    assert stage.reconcile().released == 1


def test_a_parked_job_is_nobodys_to_ring_for(stage):
    """Only a person brings it back."""
    stage.parked()
    stage.queue.flush()
    stage.advance(10_000)
    assert stage.reconcile() == NOTHING
