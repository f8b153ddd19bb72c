"""Every doorbell is heard, in the order of urgency, whoever rings."""

from __future__ import annotations

import os
import threading

import pytest

from hilum.domain.job import Priority
from tests.contract.task_queue.bells import REAL
from tests.contract.task_queue.rings import rings


def test_a_ring_is_heard(bell):
    """A worker that listens hears the job and its priority."""
    with bell.listen() as listener:
        for priority in Priority:
            sent = rings(1, priority)
            bell.queue.ring(sent)
            assert listener.heard(1) == sent


def test_rings_wait_for_a_worker(bell):
    """What is rung while nobody listens is counted, and heard in order when somebody does."""
    sent = rings(5)
    bell.queue.ring(sent[:3])
    bell.queue.ring(sent[3:])
    assert bell.queue.pending(Priority.ROUTINE) == 5
    assert bell.queue.pending(Priority.STAT) == 0
    with bell.listen() as listener:
        assert listener.heard(5) == sent
    assert bell.queue.pending(Priority.ROUTINE) == 0


def test_urgent_rings_are_heard_first(bell):
    """Stat empties before routine, and routine before batch, whatever came first."""
    batch, routine, stat = (
        rings(4, priority) for priority in (Priority.BATCH, Priority.ROUTINE, Priority.STAT)
    )
    for group in zip(batch, routine, stat, strict=True):
        bell.queue.ring(group)
    with bell.listen() as listener:
        assert listener.heard(12) == [*stat, *routine, *batch]


def test_rings_many_at_once(bell):
    """The reconciler rings for hundreds of jobs in one call."""
    bell.queue.ring(rings(700))
    assert bell.queue.pending(Priority.ROUTINE) == 700


def test_rings_for_nobody(bell):
    """No message is no ring."""
    bell.queue.ring([])
    assert [bell.queue.pending(priority) for priority in Priority] == [0, 0, 0]


def test_the_same_job_may_be_rung_twice(bell):
    """Each ring is a message of its own; the database makes the second one a no-op."""
    [message] = rings(1)
    bell.queue.ring([message, message])
    with bell.listen() as listener:
        assert listener.heard(2) == [message, message]


def test_threads_ring_at_the_same_time(bell):
    """The gateway rings from the threads that serve requests."""
    began = threading.Barrier(12)

    def ring() -> None:
        began.wait()
        for message in rings(5):
            bell.queue.ring([message])

    threads = [threading.Thread(target=ring) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bell.queue.pending(Priority.ROUTINE) == 60


def test_checks(bell):
    """A broker that answers is said to."""
    bell.queue.check()


@pytest.mark.parametrize("bell", ["folder", *REAL], indirect=True)
def test_a_forked_child_rings(bell):
    """A process that was forked after its parent had rung rings on a connection of its own."""
    bell.queue.ring(rings(1))
    child = os.fork()
    if child == 0:
        try:
            bell.queue.ring(rings(1))
        except BaseException:  # noqa: BLE001 - a child of pytest must not go on as pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert bell.queue.pending(Priority.ROUTINE) == 2
