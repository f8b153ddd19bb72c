"""What a slot does when it is woken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest

from hilum.application.queue.drain import LONGEST_S, MOST_ITEMS, Drain
from hilum.domain.errors import DatabaseUnavailable
from hilum.domain.job import ANALYSIS, Job, Priority
from hilum.domain.operation import OPERATION
from tests.fakes.task_queue import RecordingTaskQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hilum.application.queue.run_next import Tell
    from hilum.domain.work import LifeCycle

SERVED = (Priority.ROUTINE, Priority.BATCH)


class Ran(NamedTuple):
    """An item, by how many wait behind it."""

    behind: int
    priority: Priority = Priority.BATCH
    life: LifeCycle[Any] = ANALYSIS


class Items:
    """So many items to run, each of which takes some seconds of a clock."""

    def __init__(self, waiting: int, seconds: float = 0.0) -> None:
        self.waiting = waiting
        self.seconds = seconds
        self.now = 100.0
        self.asked: list[Sequence[Priority]] = []
        self.during: Callable[[], None] = lambda: None
        self.life: LifeCycle[Any] = ANALYSIS

    def __call__(self, priorities: Sequence[Priority], tell: Tell) -> bool:
        self.asked.append(priorities)
        if not self.waiting:
            return False
        self.waiting -= 1
        self.now += self.seconds
        self.during()
        tell(cast("Job", Ran(self.waiting, life=self.life)), None)
        return True

    def drain(self, queue: RecordingTaskQueue) -> Drain:
        return Drain(self, queue, SERVED, clock=lambda: self.now)


@pytest.fixture
def queue() -> RecordingTaskQueue:
    return RecordingTaskQueue()


def no_tell(*_: object) -> None:
    """Nobody listens."""


def test_it_runs_until_nothing_is_left(queue):
    """Each item is told as it ends, only served priorities are asked for, and nobody is woken."""
    items, told = Items(3), []
    assert items.drain(queue)(lambda *ran: told.append(ran)) == 3
    assert told == [(Ran(2), None), (Ran(1), None), (Ran(0), None)]
    assert items.asked == [SERVED] * 4
    assert queue.woken == []


def test_it_stops_after_its_bound_of_items_and_wakes_another(queue):
    """Its wake-up is acknowledged then, and the rest has one, at the priority of what ran last."""
    items = Items(MOST_ITEMS + 1)
    drain = items.drain(queue)
    assert drain(no_tell) == MOST_ITEMS
    assert (items.waiting, queue.woken) == (1, [Priority.BATCH])
    assert drain(no_tell) == 1
    assert queue.woken == [Priority.BATCH]


def test_it_wakes_a_slot_for_the_kind_that_ran_last(queue):
    """A worker of another kind would find nothing."""
    items = Items(MOST_ITEMS + 1)
    items.life = OPERATION
    items.drain(queue)(no_tell)
    assert queue.waiting(Priority.BATCH, OPERATION.kind) == 1
    assert queue.waiting(Priority.BATCH) == 0


def test_it_stops_after_its_bound_of_time_and_wakes_another(queue):
    """An item that has begun is finished. No other begins after the bound."""
    items = Items(10, seconds=LONGEST_S / 3 + 0.1)
    assert items.drain(queue)(no_tell) == 3
    assert queue.woken == [Priority.BATCH]


@pytest.mark.parametrize("waiting", [0, 5])
def test_it_claims_nothing_after_a_stop(queue, waiting):
    """A worker that leaves wakes slots for all that it serves: it has used up some wake-up."""
    items = Items(waiting)
    drain = items.drain(queue)
    drain.stop()
    assert drain(no_tell) == 0
    assert (items.asked, queue.woken) == ([], [*SERVED])


def test_a_stop_in_the_middle_lets_the_item_end(queue):
    """That one is told, and the next one is left to another slot."""
    items, told = Items(5), []
    drain = items.drain(queue)
    items.during = drain.stop
    assert drain(lambda *ran: told.append(ran)) == 1
    assert (len(told), items.waiting, queue.woken) == (1, 4, [Priority.BATCH])


def test_a_broker_that_is_down_does_not_matter(queue, caplog):
    """At a bound the wake-up fails with a warning. The reconciler sends one later."""
    queue.available = False
    items = Items(MOST_ITEMS + 1)
    assert items.drain(queue)(no_tell) == MOST_ITEMS
    (record,) = caplog.records
    assert (record.message, record.items) == ("wakeup.failed", MOST_ITEMS)
    assert record.error.startswith("broker_unavailable: ")


def test_a_database_that_is_down_is_told(queue):
    """What ran before is told. The rest waits for the reconciler, and nobody is woken in vain."""
    items, told = Items(5), []

    def fail() -> None:
        if items.waiting == 3:
            raise DatabaseUnavailable("told to fail")

    items.during = fail
    with pytest.raises(DatabaseUnavailable):
        items.drain(queue)(lambda *ran: told.append(ran))
    assert (told, queue.woken) == ([(Ran(4), None)], [])


def test_it_wakes_the_queue_of_the_kind_that_ran_last(queue):
    """Another slot goes on with the operations that it left."""
    items = Items(MOST_ITEMS + 1)
    items.life = OPERATION
    items.drain(queue)(no_tell)
    assert queue.waiting(Priority.BATCH, OPERATION.kind) == 1
    assert queue.waiting(Priority.BATCH) == 0
