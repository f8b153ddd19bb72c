"""A worker whose slots are all taken."""

from __future__ import annotations

import pytest

from hilum.domain.job import Priority
from tests.contract.queue_consumer import Listener
from tests.contract.task_queue.brokers import REAL, redis_broker, take_all

ROUTINE = Priority.ROUTINE


@pytest.mark.real
def test_a_busy_listener_survives_an_outage(redis_server):
    """A worker whose slots were taken when the broker went takes wake-ups when it is back."""
    url = redis_server.url
    with redis_broker(redis_server) as broker, Listener(url, slots=2, held=True) as busy:
        broker.queue.wake([ROUTINE] * 2)
        assert busy.taken(2) == [ROUTINE] * 2
        broker.stop()
        busy.release()
        busy.unacknowledged(2)
        broker.start()
        broker.queue.wake([Priority.BATCH] * 3)
        take_all(busy, 3, Priority.BATCH)


@pytest.mark.parametrize("broker", ["folder", *REAL], indirect=True)
def test_a_busy_listener_takes_no_more_than_it_has_slots(broker):
    """What one worker cannot start now waits where another one can take it."""
    with broker.listen(slots=2, held=True) as busy:
        broker.queue.wake([ROUTINE] * 4)
        assert busy.taken(2) == [ROUTINE] * 2
        assert broker.queue.waiting(ROUTINE) == 2
        with broker.listen() as other:
            assert other.taken(2) == [ROUTINE] * 2


@pytest.mark.parametrize("broker", ["folder", *REAL], indirect=True)
def test_a_worker_that_dies_takes_no_waiting_wake_up_with_it(broker):
    """After kill -9 of a busy worker another one takes every wake-up that waits."""
    with broker.listen(slots=1, held=True) as victim:
        broker.queue.wake([ROUTINE] * 3)
        assert victim.taken(1) == [ROUTINE]
        victim.kill()
        assert broker.queue.waiting(ROUTINE) == 2
        with broker.listen() as other:
            assert other.taken(2) == [ROUTINE] * 2
    assert broker.queue.waiting(ROUTINE) == 0
