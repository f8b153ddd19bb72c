"""Jobs that nobody runs are found, and slots are woken for them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from hilum.application.queue import reconcile
from hilum.application.queue.reconcile import Reconciliation
from hilum.domain.errors import BrokerUnavailable, DatabaseUnavailable
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import RECONCILER
from hilum.domain.retry_policy import RetryPolicy
from tests.unit.application.stage import AGEING, KEEP_ATTEMPTS, LEASE, Stage, film

NOTHING = Reconciliation()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def lost(stage: Stage, shade: int = 7):
    """A job whose worker was killed."""
    job = stage.queued(film(shade))
    stage.claim(job.id, "dead")
    stage.queue.flush()
    return job


def test_where_all_is_well_nothing_is_done(stage):
    """Waiting with its wake-up, running within its lease, done: none of these is touched."""
    running = stage.queued(film(2))
    stage.claim(running.id, "w2")
    stage.analyse(stage.queued(film(3)).id)
    stage.queue.flush()
    stage.queued(film(1))
    before = stage.events()
    assert stage.reconcile() == NOTHING
    assert stage.events() == before
    assert len(stage.queue.woken) == 3


def test_a_job_of_a_dead_worker_is_requeued(stage):
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


def test_a_slot_is_woken_once_its_backoff_is_over(stage):
    """No wake-up is published before, and then the job is analysed."""
    job = lost(stage)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile().woken == 0
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(woken=1)
    assert stage.queue.hear() is Priority.ROUTINE
    assert stage.analyse(job.id).state is JobState.COMPLETED


def test_an_image_that_kills_its_workers_is_dead_lettered():
    """It harms the images beside it, so its budget is small."""
    stage = Stage(policy=RetryPolicy(max_losses=3))
    job = stage.queued()
    for loss in range(1, 4):
        assert stage.claim(job.id, f"dead{loss}")
        stage.queue.flush()
        stage.advance(LEASE.total_seconds())
        expected = Reconciliation(parked=1) if loss == 3 else Reconciliation(released=1)
        assert stage.reconcile() == expected
        stage.advance(600)
    failed = stage.job(job.id)
    assert (failed.state, failed.losses, failed.reason.code) == (JobState.FAILED, 3, "worker_lost")
    assert stage.actions()[-1] == "job.failed"
    assert stage.reconcile() == NOTHING


def test_the_last_attempt_that_is_lost_dead_letters_the_job_too():
    """Attempts count whatever ended them."""
    stage = Stage(policy=RetryPolicy(max_attempts=1))
    job = lost(stage)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile() == Reconciliation(parked=1)
    assert stage.job(job.id).attempts == 1


def test_a_heartbeat_keeps_a_job_from_the_reconciler(stage):
    """A slow image is not a lost one."""
    job = stage.queued()
    stage.claim(job.id, stage.leases.owner)
    stage.queue.flush()
    with stage.leases.hold(job):
        for _ in range(6):
            stage.advance(LEASE.total_seconds() / 3)
            stage.leases.beat()
            assert stage.reconcile() == NOTHING


def test_wake_ups_that_a_broker_lost_are_published_again(stage):
    """One for each job that can be claimed, and none while these wait."""
    for n in range(3):
        stage.queued(film(n))
    stage.queue.flush()
    assert stage.reconcile() == Reconciliation(woken=3)
    assert stage.reconcile() == NOTHING
    assert stage.queue.waiting(Priority.ROUTINE) == 3


def test_a_deep_queue_gets_a_bounded_number_of_wake_ups(stage, monkeypatch):
    """A slot that is awake goes on until nothing is left."""
    monkeypatch.setattr(reconcile, "MOST_WAKE_UPS", 2)
    for n in range(5):
        stage.queued(film(n))
    stage.queue.flush()
    assert stage.reconcile().woken == 2
    assert stage.reconcile().woken == 0


def test_each_priority_gets_wake_ups_of_its_own(stage, monkeypatch):
    """A full queue of batch work does not keep a STAT image waiting."""
    monkeypatch.setattr(reconcile, "MOST_WAKE_UPS", 1)
    stage.queued(film(1), Priority.BATCH)
    stage.queued(film(2), Priority.STAT)
    assert stage.queue.hear() is Priority.STAT
    assert stage.reconcile().woken == 1
    assert stage.queue.hear() is Priority.STAT


def test_a_broker_that_is_down_does_not_stop_the_recovery_of_lost_jobs(stage):
    """They are requeued, the outage is told, and wake-ups follow when the broker is back."""
    lost(stage)
    stage.advance(LEASE.total_seconds())
    stage.queue.available = False
    assert stage.reconcile() == Reconciliation(released=1, broker_down=True)
    stage.queue.available = True
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(woken=1)


def test_a_broker_that_is_down_is_told_also_where_nothing_waits(stage):
    """The slot that runs without the broker has to know."""
    stage.queue.available = False
    assert stage.reconcile() == Reconciliation(broker_down=True)


def test_a_broker_that_goes_down_between_counting_and_publishing_is_told(stage):
    """Nothing is said to have been published, and the next run publishes it."""
    stage.queued()
    stage.queue.flush()
    wake = stage.queue.wake

    def fail(priorities, kind):
        raise BrokerUnavailable("down")

    stage.queue.wake = fail
    assert stage.reconcile() == Reconciliation(broker_down=True)
    stage.queue.wake = wake
    assert stage.reconcile().woken == 1


def test_an_aged_batch_job_becomes_routine_and_is_audited(stage):
    """It is claimed as such, and stays so."""
    job = stage.queued(priority=Priority.BATCH)
    stage.queue.flush()
    stage.advance(AGEING.total_seconds() - 1)
    assert stage.reconcile() == Reconciliation(woken=1)
    stage.queue.flush()
    stage.advance(1)
    assert stage.reconcile() == Reconciliation(raised=1, woken=1)
    assert stage.queue.hear() is Priority.ROUTINE
    event = stage.events()[-1]
    assert (event.actor, event.action, event.details) == (
        RECONCILER,
        "job.raised",
        {"priority": "routine"},
    )
    stage.advance(AGEING.total_seconds())
    stage.reconcile()
    assert stage.job(job.id).priority is Priority.ROUTINE


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
    """The next run does the work."""
    stage.unit_of_work.available = False
    with pytest.raises(DatabaseUnavailable):
        stage.reconcile()


def test_workers_get_a_lease_to_renew_theirs_after_an_outage_of_the_database(stage):
    """Nothing expires for so long. Then who has not renewed is lost."""
    alive, dead = stage.queued(film(1)), lost(stage, 2)
    stage.claim(alive.id, stage.leases.owner)
    stage.unit_of_work.available = False
    stage.advance(10 * LEASE.total_seconds())
    with pytest.raises(DatabaseUnavailable):
        stage.reconcile()
    stage.unit_of_work.available = True
    assert stage.reconcile() == NOTHING
    with stage.leases.hold(alive):
        stage.leases.beat()
    stage.advance(LEASE.total_seconds() - 1)
    assert stage.reconcile() == NOTHING
    stage.advance(1)
    with stage.leases.hold(alive):
        stage.leases.beat()
    assert stage.reconcile().released == 1
    assert stage.job(dead.id).losses == 1
    assert stage.job(alive.id).state is JobState.RUNNING


def test_a_worker_that_starts_after_an_outage_gives_the_others_a_lease(stage):
    """It saw no outage, and does not know whether there was one."""
    alive, dead = stage.queued(film(1)), lost(stage, 2)
    stage.claim(alive.id, stage.leases.owner)
    stage.advance(10 * LEASE.total_seconds())
    fresh = stage.reconciler()
    assert fresh() == NOTHING
    stage.advance(LEASE.total_seconds() - 1)
    with stage.leases.hold(alive):
        stage.leases.beat()
    assert fresh() == NOTHING
    stage.advance(1)
    assert fresh().released == 1
    assert stage.job(dead.id).losses == 1
    assert stage.job(alive.id).state is JobState.RUNNING


def test_a_database_that_hung_was_away_too(stage):
    """It raised nothing, and the workers could not renew."""
    lost(stage)
    begin = stage.unit_of_work.begin

    @contextmanager
    def hanging(*, write=True):
        stage.advance(LEASE.total_seconds())
        with begin(write=write) as transaction:
            yield transaction

    stage.unit_of_work.begin = hanging
    assert stage.reconcile() == NOTHING
    stage.unit_of_work.begin = begin
    stage.advance(LEASE.total_seconds() - 1)
    assert stage.reconcile() == NOTHING
    stage.advance(1)
    assert stage.reconcile().released == 1


def test_only_so_many_leases_are_looked_at_in_one_run(stage, monkeypatch):
    """A crowd of lost jobs is requeued in steps, oldest lease first."""
    monkeypatch.setattr(reconcile, "MOST_LEASES", 2)
    jobs = []
    for n in range(3):
        jobs.append(lost(stage, n))
        stage.advance(1)
    stage.advance(LEASE.total_seconds())
    assert stage.reconcile().released == 2
    assert stage.job(jobs[2].id).state is JobState.RUNNING
    assert stage.reconcile().released == 1


def test_a_failed_job_wakes_nobody(stage):
    """Only a person brings it back."""
    stage.parked()
    stage.queue.flush()
    stage.advance(10_000)
    assert stage.reconcile() == NOTHING


def test_a_job_of_a_release_without_flows_is_claimed_after_a_reconciliation(stage):
    """It has no tag and its site has no flow: both are made."""
    job = stage.queued()
    rows = stage.unit_of_work.rows
    rows.work_flows.clear()
    rows.jobs[job.id] = replace(job, fair_tag=0.0)
    assert stage.analyse(job.id) is None
    stage.reconcile()
    assert stage.job(job.id).fair_tag > 0
    assert stage.analyse(job.id).state is JobState.COMPLETED


def test_a_pause_ends_by_itself(stage):
    """At its time, and not before. A paused job wakes nobody."""
    job = stage.queued()
    minute = timedelta(seconds=60)
    with stage.unit_of_work.begin() as transaction:
        transaction.work_flows.pause(job.priority, job.site, minute, "the scanner is calibrated")
    stage.queue.flush()
    assert stage.reconcile() == NOTHING
    assert stage.analyse(job.id) is None
    stage.advance(60)
    assert stage.reconcile() == Reconciliation(woken=1)
    (event,) = [event for event in stage.events() if event.object_type == "flow"]
    assert (event.actor, event.action, event.at) == (
        RECONCILER,
        "flow.end_pause",
        stage.clock.now(),
    )
    assert event.object_id == f"analysis/routine/{job.site}"
    assert event.details == {"reason": "the scanner is calibrated"}
    stage.reconcile()
    assert stage.actions().count("flow.end_pause") == 1
    assert stage.analyse(job.id).state is JobState.COMPLETED


def test_old_attempts_are_removed_some_at_a_time(stage, monkeypatch):
    """Each run goes on where the last one stopped, and begins anew after the end."""
    monkeypatch.setattr(reconcile, "MOST_ATTEMPTS", 2)
    for shade in range(3):
        stage.analyse(stage.queued(film(shade)).id)
    stage.advance(KEEP_ATTEMPTS.total_seconds())
    stage.analyse(stage.queued(film(3)).id)
    stage.advance(1)
    stage.reconcile()
    assert len(stage.unit_of_work.rows.attempts) > 1
    stage.reconcile()
    assert len(stage.unit_of_work.rows.attempts) == 1
    stage.advance(KEEP_ATTEMPTS.total_seconds())
    for _ in range(2):
        stage.reconcile()
    assert stage.unit_of_work.rows.attempts == []
