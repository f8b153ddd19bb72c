"""Every wake-up is taken, in the order of urgency, whoever publishes it."""

from __future__ import annotations

import os
import threading

import pytest

from hilum.application.queue.reconcile import MOST_WAKE_UPS
from hilum.domain.job import Priority
from tests.contract.task_queue.brokers import REAL

BATCH, ROUTINE, STAT = Priority.BATCH, Priority.ROUTINE, Priority.STAT


def test_a_wake_up_is_taken(broker):
    """A worker that listens takes it from the queue of its priority."""
    with broker.listen() as listener:
        for priority in Priority:
            broker.queue.wake([priority])
            assert listener.taken(1) == [priority]


def test_wake_ups_wait_for_a_worker(broker):
    """What is published while nobody listens is counted, and taken when somebody does."""
    broker.queue.wake([ROUTINE] * 3)
    broker.queue.wake([ROUTINE, BATCH])
    assert [broker.queue.waiting(priority) for priority in (STAT, ROUTINE, BATCH)] == [0, 4, 1]
    with broker.listen() as listener:
        assert listener.taken(5) == [ROUTINE] * 4 + [BATCH]
    assert [broker.queue.waiting(priority) for priority in (STAT, ROUTINE, BATCH)] == [0, 0, 0]


def test_urgent_queues_are_emptied_first(broker):
    """Stat empties before routine, and routine before batch, whatever came first."""
    for _ in range(4):
        broker.queue.wake([BATCH, ROUTINE, STAT])
    with broker.listen() as listener:
        assert listener.taken(12) == [STAT] * 4 + [ROUTINE] * 4 + [BATCH] * 4


def test_many_wake_ups_are_published_at_once(broker):
    """The reconciler tops up every queue in one call."""
    broker.queue.wake([priority for priority in Priority for _ in range(MOST_WAKE_UPS)])
    assert {broker.queue.waiting(priority) for priority in Priority} == {MOST_WAKE_UPS}


def test_nobody_is_woken_by_an_empty_call(broker):
    """No entry publishes no message."""
    broker.queue.wake([])
    assert [broker.queue.waiting(priority) for priority in Priority] == [0, 0, 0]


def test_threads_publish_at_the_same_time(broker):
    """The gateway publishes from the threads that serve requests."""
    began = threading.Barrier(12)

    def publish() -> None:
        began.wait()
        for _ in range(5):
            broker.queue.wake([ROUTINE])

    threads = [threading.Thread(target=publish) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broker.queue.waiting(ROUTINE) == 60


def test_checks(broker):
    """A broker that answers is said to."""
    broker.queue.check()


@pytest.mark.parametrize("broker", ["folder", *REAL], indirect=True)
def test_a_forked_child_publishes(broker):
    """A process that was forked after its parent had published uses a connection of its own."""
    broker.queue.wake([ROUTINE])
    child = os.fork()
    if child == 0:
        try:
            broker.queue.wake([ROUTINE])
        except BaseException:  # noqa: BLE001 - a child of pytest must not go on as pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert broker.queue.waiting(ROUTINE) == 2
