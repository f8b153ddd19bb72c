"""A real worker process whose broker is absent: it costs speed, never progress."""

from __future__ import annotations

import pytest

from hilum.application.queue.messages import QUEUES
from hilum.domain.job import JobState, Priority
from tests.unit.worker.embedded import EmbeddedPlatform, noise_film, wait_until

MIXED = (Priority.BATCH, Priority.ROUTINE, Priority.STAT)


def submit_some(platform: EmbeddedPlatform, first: int):
    """Two images of each priority, the least urgent first."""
    return [
        job
        for n, priority in enumerate(MIXED)
        for job in platform.submit([noise_film(first + 2 * n + m) for m in range(2)], priority)
    ]


def assert_each_ended_once_in_order(jobs):
    """Completed by one attempt, the most urgent first."""
    assert {(job.state, job.attempts, job.losses) for job in jobs} == {(JobState.COMPLETED, 1, 0)}
    in_order = [job.priority for job in sorted(jobs, key=lambda job: job.started_at)]
    assert in_order == sorted(in_order, key=list(QUEUES).index)


def test_every_image_ends_while_the_broker_is_absent_throughout(tmp_path):
    """The worker is ready without it, runs them in order with one slot, and stops when asked to."""
    platform = EmbeddedPlatform(tmp_path)
    platform.broker.stop()
    before = submit_some(platform, 0)
    with platform.worker() as worker:
        assert_each_ended_once_in_order(platform.settled(before))
        while_it_runs = submit_some(platform, 10)
        done = platform.settled(while_it_runs)
        assert worker.stop() == 0
        assert not worker.ready_file.exists()
    assert {job.state for job in done} == {JobState.COMPLETED}
    assert '"error": "broker_unavailable: the broker does not answer' in worker.log
    assert '"consumer.started"' not in worker.log


def test_a_broker_that_goes_and_comes_back_costs_no_image(tmp_path):
    """The lone slot runs what comes meanwhile. Afterwards wake-ups are taken again."""
    platform = EmbeddedPlatform(tmp_path)
    with platform.worker() as worker:
        wait_until(lambda: '"consumer.started"' in worker.log, "a connection")
        platform.broker.stop()
        done = platform.settled(submit_some(platform, 0))
        platform.broker.start()
        done += platform.settled(submit_some(platform, 10))
        wait_until(lambda: not platform.messages("*"), "every wake-up taken")
        assert worker.stop() == 0
    assert {(job.state, job.attempts) for job in done} == {(JobState.COMPLETED, 1)}


@pytest.mark.real
def test_every_image_ends_while_redis_is_down(tmp_path, redis_server):
    """The lone slot goes on until the worker's consumer has noticed that Redis is back."""
    platform = EmbeddedPlatform(tmp_path, redis_server.url)
    redis_server.stop()
    try:
        before = submit_some(platform, 0)
        with platform.worker() as worker:
            assert_each_ended_once_in_order(platform.settled(before))
            wait_until(lambda: "Trying again in 8.00 seconds" in worker.log, "the fourth attempt")
            redis_server.launch()
            platform.settled(submit_some(platform, 10))
            assert '"consumer.started"' not in worker.log
            wait_until(lambda: '"consumer.started"' in worker.log, "a connection")
            platform.settled(submit_some(platform, 20))
            assert worker.stop() == 0
    finally:
        if not redis_server.running:
            redis_server.launch()
