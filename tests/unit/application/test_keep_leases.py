"""Heartbeat: what is in flight stays this worker's."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from hilum.domain.errors import DatabaseUnavailable
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
    with stage.leases.hold(one.id), stage.leases.hold(two.id):
        stage.advance(20)
        assert stage.leases.beat() == 2
    for job in (one, two):
        assert stage.job(job.id).lease_expires_at == stage.clock.now() + LEASE


def test_a_beat_with_nothing_in_flight_asks_no_database(stage):
    """An idle worker is silent."""
    stage.unit_of_work.available = False
    assert stage.leases.beat() == 0


def test_a_beat_does_not_bring_back_a_job_that_is_another_workers(stage):
    """The number says how many are still held."""
    job = claimed(stage, owner="w2")
    with stage.leases.hold(job.id):
        assert stage.leases.beat() == 0
    assert stage.job(job.id).lease_owner == "w2"


def test_a_job_that_runs_too_long_is_no_longer_kept(stage):
    """A decoder that hangs costs one thread, not a film: the job goes to another worker."""
    job = claimed(stage)
    with stage.leases.hold(job.id):
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
    with stage.leases.hold(job.id):
        stage.clock.advance(jump)
        assert stage.leases.given_up == 0
        assert stage.leases.beat() == 1
        stage.advance(MAX_RUN.total_seconds())
        assert stage.leases.given_up == 1


def test_a_run_that_hangs_does_not_end_the_heartbeat_of_the_next_one(stage):
    """The same worker may get the same job again while its first run still hangs."""
    job = claimed(stage)
    hung = stage.leases.hold(job.id)
    hung.__enter__()
    stage.advance(MAX_RUN.total_seconds())
    with stage.leases.hold(job.id):
        assert stage.leases.in_flight == 2
        hung.__exit__(None, None, None)
        assert stage.leases.in_flight == 1
        assert stage.leases.beat() == 1
    assert stage.leases.in_flight == 0


def test_a_failed_beat_is_told_and_forgets_nothing(stage):
    """The next one may be in time."""
    job = claimed(stage)
    with stage.leases.hold(job.id):
        stage.unit_of_work.available = False
        with pytest.raises(DatabaseUnavailable):
            stage.leases.beat()
        stage.unit_of_work.available = True
        assert stage.leases.beat() == 1


def test_a_job_is_let_go_also_when_its_run_fails(stage):
    """Otherwise its lease would be kept for ever."""

    def fail():
        with stage.leases.hold(uuid4()):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stage.leases.in_flight == 0
