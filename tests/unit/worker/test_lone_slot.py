"""The slot that runs work while the broker is down."""

from __future__ import annotations

import threading

from hilum_worker.lone_slot import LoneSlot

PATIENCE_S = 30


class Gate:
    """A drain that waits until it is let go on, and counts how many run at once."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.running = self.most = self.ended = 0

    def __call__(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE_S)
        self.running -= 1
        self.ended += 1


def test_it_drains_each_time_that_it_is_woken():
    """Once for a wake-up, in a thread of its own, and not before the first."""
    gate = Gate()
    with LoneSlot(gate) as slot:
        assert not gate.begun.acquire(blocking=False)
        assert not slot.drains
        for _ in range(3):
            slot.wake()
            assert gate.begun.acquire(timeout=PATIENCE_S)
            assert slot.drains
            gate.go_on.release()
    assert gate.ended == 3
    assert not slot.drains


def test_it_is_not_started_twice_at_once():
    """Woken again and again while it drains, it drains once more afterwards, never beside it."""
    gate = Gate()
    with LoneSlot(gate) as slot:
        slot.wake()
        assert gate.begun.acquire(timeout=PATIENCE_S)
        for _ in range(5):
            slot.wake()
        assert not gate.begun.acquire(timeout=0.1)
        gate.go_on.release()
        assert gate.begun.acquire(timeout=PATIENCE_S)
        gate.go_on.release()
        assert not gate.begun.acquire(timeout=0.1)
    assert (gate.ended, gate.most) == (2, 1)


def test_the_end_waits_for_what_runs_and_begins_nothing():
    """A worker that stops finishes the item in hand, although it was woken once more."""
    gate = Gate()
    with LoneSlot(gate) as slot:
        slot.wake()
        assert gate.begun.acquire(timeout=PATIENCE_S)
        slot.wake()
        threading.Timer(0.1, gate.go_on.release).start()
    assert (gate.ended, gate.running) == (1, 0)
    assert "lone-slot" not in {thread.name for thread in threading.enumerate()}


def test_a_slot_that_was_never_woken_ends_at_once():
    """The usual case: the broker answered all the time."""
    gate = Gate()
    with LoneSlot(gate):
        pass
    assert gate.ended == 0
