"""A broker that goes, hangs, forgets or refuses is told, and costs no later wake-up."""

from __future__ import annotations

import pytest

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import Priority
from tests.contract.frozen import frozen
from tests.contract.task_queue.brokers import redis_broker, take_all

ROUTINE = Priority.ROUTINE


def test_an_outage_is_told_and_ends(broker):
    """While the broker is down every call says so. Afterwards the same queue publishes again."""
    broker.queue.wake([ROUTINE])
    broker.stop()
    for call in (
        lambda: broker.queue.wake([ROUTINE] * 2),
        lambda: broker.queue.waiting(ROUTINE),
        broker.queue.check,
    ):
        with pytest.raises(BrokerUnavailable):
            call()
    broker.start()
    broker.queue.check()
    broker.queue.wake([Priority.BATCH])
    with broker.listen() as listener:
        take_all(listener, 1, Priority.BATCH)


def test_a_listener_survives_an_outage(broker):
    """A worker waits for its broker and takes wake-ups when it is back."""
    with broker.listen() as listener:
        broker.queue.wake([ROUTINE])
        assert listener.taken(1) == [ROUTINE]
        broker.stop()
        broker.start()
        broker.queue.wake([Priority.BATCH] * 3)
        take_all(listener, 3, Priority.BATCH)


def test_a_flush_loses_wake_ups_and_nothing_else(broker):
    """Those that waited are gone, which is why the database is the truth. New ones are taken."""
    with broker.listen() as listener:
        broker.queue.wake([ROUTINE])
        assert listener.taken(1) == [ROUTINE]
        broker.flush()
        broker.queue.wake([Priority.BATCH])
        assert listener.taken(1) == [Priority.BATCH]
    broker.queue.wake([ROUTINE] * 3)
    broker.flush()
    assert broker.queue.waiting(ROUTINE) == 0


@pytest.mark.real
def test_a_redis_that_hangs_is_given_up(redis_server):
    """A broker that accepts and answers nothing does not keep the caller."""
    with redis_broker(redis_server) as broker:
        broker.queue.wake([ROUTINE])
        with frozen(redis_server):
            with pytest.raises(BrokerUnavailable):
                broker.queue.wake([ROUTINE])
            with pytest.raises(BrokerUnavailable):
                broker.queue.check()
        broker.queue.check()


@pytest.mark.real
def test_a_restart_of_redis_is_not_noticed(redis_server):
    """A connection that died while nobody used it is replaced within the call."""
    with redis_broker(redis_server) as broker:
        broker.queue.wake([ROUTINE] * 2)
        redis_server.restart()
        broker.queue.wake([ROUTINE])
        assert broker.queue.waiting(ROUTINE) == 3


@pytest.mark.real
def test_a_wrong_password_is_told_without_it(redis_server):
    """An operator reads that the broker does not answer. The text holds no credential."""
    url = redis_server.url.replace(redis_server.password, "hush-hush")
    with pytest.raises(BrokerUnavailable) as raised:
        CeleryTaskQueue(create_celery(url)).check()
    assert "hush" not in raised.value.detail
