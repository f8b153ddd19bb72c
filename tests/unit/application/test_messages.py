"""What travels over the broker."""

from __future__ import annotations

from hilum.application.messages import FORMER_QUEUES, FORMER_TASK, QUEUES, WAKE_TASK
from hilum.domain.job import Priority


def test_queues_stand_in_the_order_of_urgency():
    """A worker empties them in this order, those of the previous release too."""
    for queues in (QUEUES, FORMER_QUEUES):
        assert list(queues) == [Priority.STAT, Priority.ROUTINE, Priority.BATCH]


def test_no_queue_is_shared_with_the_previous_release():
    """A worker of that release drops a task that it does not know."""
    assert set(FORMER_QUEUES.values()) == {"hilum.stat", "hilum.routine", "hilum.batch"}
    assert len({*QUEUES.values(), *FORMER_QUEUES.values()}) == 6
    assert (WAKE_TASK, FORMER_TASK) == ("hilum.wake.v1", "hilum.analyse.v1")
