"""What travels over the broker."""

from __future__ import annotations

from hilum.application.queue.messages import (
    FORMER_QUEUES,
    FORMER_TASK,
    QUEUES,
    WAKE_TASK,
    queue_of,
    served_queues,
)
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


def test_a_worker_serves_the_other_kinds_whatever_its_priorities():
    """A worker for STAT images alone runs operations too, where it has a handler for them."""
    assert served_queues([Priority.STAT], {"analysis", "operation"}) == [
        "hilum.analysis.stat",
        "hilum.stat",
        "hilum.operations",
    ]
    assert served_queues([], {"analysis"}) == []


def test_items_of_another_kind_share_a_queue():
    """Whatever their priority. Jobs have a queue for each."""
    assert {queue_of("operation", priority) for priority in Priority} == {"hilum.operations"}
    assert len({queue_of("analysis", priority) for priority in Priority}) == 3
