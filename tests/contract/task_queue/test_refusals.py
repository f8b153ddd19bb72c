"""A Redis that answers with an error is a broker that is down, and no worker ends for it."""

from __future__ import annotations

import pytest

from hilum.domain.errors import BrokerUnavailable
from hilum.domain.job import Priority
from tests.contract.queue_consumer import Listener
from tests.contract.task_queue.brokers import redis_broker, take_all
from tests.contract.task_queue.redis_refusals import REFUSALS, refusing

pytestmark = pytest.mark.real
ROUTINE = Priority.ROUTINE


@pytest.mark.parametrize("word", REFUSALS)
def test_a_refusal_is_told_and_ends(redis_server, word):
    """Publishing and the check fail with the reason. Afterwards the same queue publishes again."""
    with redis_broker(redis_server) as broker:
        broker.queue.wake([ROUTINE])
        with refusing(redis_server, word):
            for call in (lambda: broker.queue.wake([ROUTINE]), broker.queue.check):
                with pytest.raises(BrokerUnavailable, match=f"refuses: {word}"):
                    call()
        broker.queue.check()
        broker.queue.wake([ROUTINE])


@pytest.mark.parametrize("word", REFUSALS)
def test_a_listener_survives_a_refusal(redis_server, word):
    """With one slot that waits and one that ends, a worker lives on and takes wake-ups later."""
    url = redis_server.url
    with redis_broker(redis_server) as broker, Listener(url, slots=2, held=True) as listener:
        broker.queue.wake([ROUTINE])
        assert listener.taken(1) == [ROUTINE]
        with refusing(redis_server, word):
            listener.release()
            assert listener.troubled()
        broker.queue.wake([Priority.BATCH] * 3)
        take_all(listener, 3, Priority.BATCH)
