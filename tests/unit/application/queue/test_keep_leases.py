"""Heartbeat: what is in flight stays this worker's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hilum.application.queue.leases import KeepLeases
from hilum.domain.attempt import Worker
from hilum.domain.errors import DatabaseUnavailable
from tests.contract.samples import a_film
from tests.fakes.clock import SettableClock
from tests.unit.application.stage import LEASE, MAX_RUN, Stage, film


@pytest.fixture
def stage() -> Stage:
    return Stage()


def claimed(stage: Stage, owner: str = "w1", shade: int = 7):
    job = stage.queued(film(shade))
    return stage.claim(job.id, owner)


def test_a_beat_moves_the_leases_in_flight(stage):
    """All of them, to a full lease from now."""
    one, two = claimed(stage, shade=1), claimed(stage, shade=2)
    with stage.leases.hold(one), stage.leases.hold(two):
        stage.advance(20)
        assert stage.leases.beat() == 2
    for job in (one, two):
        assert stage.job(job.id).lease_expires_at == stage.clock.now() + LEASE


def worker_of(stage: Stage):
    with stage.unit_of_work.begin(write=False) as transaction:
        (worker,) = transaction.workers.all()
    return worker


def test_a_beat_says_how_the_worker_is(stage):
    """An idle one too: how much it runs, when it last claimed and finished, and that it leaves."""
    assert stage.leases.beat(breakers={"inference": "open"}) == 0
    idle = worker_of(stage)
    assert (idle.name, idle.busy, idle.last_claim_at, idle.draining) == ("w1", 0, None, False)
    assert (idle.last_beat_at, idle.breakers) == (stage.clock.now(), {"inference": "open"})
    job = claimed(stage)
    with stage.leases.hold(job):
        stage.leases.left(job)
        stage.leases.beat(draining=True)
    busy = worker_of(stage)
    assert (busy.busy, busy.draining, busy.breakers) == (1, True, {})
    assert busy.last_claim_at == job.started_at
    assert busy.last_finish_at == job.updated_at


def test_a_beat_tells_the_clocks_offset_of_the_beat_before(stage):
    """A worker whose clock is 300 s ahead of the database's is seen in its row."""
    ahead = SettableClock(stage.clock.now() + timedelta(seconds=300))
    leases = KeepLeases(
        unit_of_work=stage.unit_of_work,
        clock=ahead,
        worker=Worker(name="w1", host="h", release="1.2.3", queues=("q",), slots=2),
        lease=LEASE,
        max_run=MAX_RUN,
    )
    leases.beat()
    assert worker_of(stage).clock_offset_ms is None
    leases.beat()
    assert worker_of(stage).clock_offset_ms == 300_000


def test_a_beat_does_not_bring_back_a_job_that_is_another_workers(stage):
    """The number says how many are still held."""
    job = claimed(stage, owner="w2")
    with stage.leases.hold(job):
        assert stage.leases.beat() == 0
    assert stage.job(job.id).lease_owner == "w2"


def test_a_job_that_runs_too_long_is_no_longer_kept(stage):
    """A decoder that hangs costs one thread, not a film: the job goes to another worker."""
    job = claimed(stage)
    with stage.leases.hold(job):
        stage.advance(MAX_RUN.total_seconds() - 1)
        assert stage.leases.beat() == 1
        assert stage.leases.given_up == 0
        stage.advance(1)
        assert stage.leases.beat() == 0
        assert stage.leases.given_up == 1
        stage.advance(LEASE.total_seconds())
        assert stage.reconcile().released == 1
    assert stage.leases.given_up == 0


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_set_gives_up_no_run(stage, jump):
    """A machine that finds its time server takes no job from itself."""
    job = claimed(stage)
    with stage.leases.hold(job):
        stage.clock.advance(jump)
        assert stage.leases.given_up == 0
        assert stage.leases.beat() == 1
        stage.advance(MAX_RUN.total_seconds())
        assert stage.leases.given_up == 1


def test_a_run_that_hangs_does_not_end_the_heartbeat_of_the_next_one(stage):
    """The same worker may get the same job again while its first run still hangs."""
    job = claimed(stage)
    hung = stage.leases.hold(job)
    hung.__enter__()
    stage.advance(MAX_RUN.total_seconds())
    with stage.leases.hold(job):
        assert stage.leases.in_flight == 2
        hung.__exit__(None, None, None)
        assert stage.leases.in_flight == 1
        assert stage.leases.beat() == 1
    assert stage.leases.in_flight == 0


def test_a_failed_beat_is_told_and_forgets_nothing(stage):
    """The next one may be in time."""
    job = claimed(stage)
    with stage.leases.hold(job):
        stage.unit_of_work.available = False
        with pytest.raises(DatabaseUnavailable):
            stage.leases.beat()
        stage.unit_of_work.available = True
        assert stage.leases.beat() == 1


def test_a_job_is_let_go_also_when_its_run_fails(stage):
    """Otherwise its lease would be kept for ever."""

    def fail():
        with stage.leases.hold(a_film().job):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stage.leases.in_flight == 0
