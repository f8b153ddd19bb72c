"""A broker that goes, hangs, forgets or refuses is told, and costs no later ring."""

from __future__ import annotations

import pytest

from hilum.adapters.task_queue.celery_app import create_celery
from hilum.adapters.task_queue.celery_queue import CeleryTaskQueue
from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import Priority
from tests.contract.frozen import frozen
from tests.contract.task_queue.bells import redis_bell
from tests.contract.task_queue.rings import hear_all, rings


def test_an_outage_is_told_and_ends(bell):
    """While the broker is down every call says so; afterwards the same queue rings again."""
    bell.queue.ring(rings(1))
    bell.stop()
    for call in (
        lambda: bell.queue.ring(rings(2)),
        lambda: bell.queue.pending(Priority.ROUTINE),
        bell.queue.check,
    ):
        with pytest.raises(BrokerUnavailable):
            call()
    bell.start()
    bell.queue.check()
    after = rings(1)
    bell.queue.ring(after)
    with bell.listen() as listener:
        hear_all(listener, after)


def test_a_listener_survives_an_outage(bell):
    """A worker waits for its broker and hears again when it is back."""
    with bell.listen() as listener:
        before = rings(1)
        bell.queue.ring(before)
        assert listener.heard(1) == before
        bell.stop()
        bell.start()
        after = rings(3)
        bell.queue.ring(after)
        hear_all(listener, after)


def test_a_flush_loses_rings_and_nothing_else(bell):
    """Unheard rings are gone, which is why the database is the truth; new rings are heard."""
    with bell.listen() as listener:
        first = rings(1)
        bell.queue.ring(first)
        assert listener.heard(1) == first
        bell.flush()
        after = rings(1)
        bell.queue.ring(after)
        assert listener.heard(1) == after
    bell.queue.ring(rings(3))
    bell.flush()
    assert bell.queue.pending(Priority.ROUTINE) == 0


@pytest.mark.real
def test_a_redis_that_hangs_is_given_up(redis_server):
    """A broker that accepts and answers nothing does not keep the caller."""
    with redis_bell(redis_server) as bell:
        bell.queue.ring(rings(1))
        with frozen(redis_server):
            with pytest.raises(BrokerUnavailable):
                bell.queue.ring(rings(1))
            with pytest.raises(BrokerUnavailable):
                bell.queue.check()
        bell.queue.check()


@pytest.mark.real
def test_a_restart_of_redis_is_not_noticed(redis_server):
    """A connection that died while nobody used it is replaced within the call."""
    with redis_bell(redis_server) as bell:
        bell.queue.ring(rings(2))
        redis_server.restart()
        bell.queue.ring(rings(1))
        assert bell.queue.pending(Priority.ROUTINE) == 3


@pytest.mark.real
def test_a_wrong_password_is_told_without_it(redis_server):
    """An operator reads that the broker does not answer; no credential stands in the text."""
    url = redis_server.url.replace(redis_server.password, "hush-hush")
    with pytest.raises(BrokerUnavailable) as raised:
        CeleryTaskQueue(create_celery(url)).check()
    assert "hush" not in raised.value.detail
