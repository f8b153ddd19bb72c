"""Threads beside the films."""

from __future__ import annotations

import threading

import pytest

from hilum.domain.errors import DatabaseUnavailable
from hilum_worker.periodic import Periodic

PATIENCE_S = 30


class Action:
    """Counts its calls; a test waits for a number of them."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self._changed = threading.Condition()
        self.calls = 0

    def __call__(self) -> None:
        with self._changed:
            self.calls += 1
            self._changed.notify_all()
            if self._failures:
                raise self._failures.pop(0)

    def wait_for(self, calls: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.calls >= calls, PATIENCE_S)


def test_an_action_is_called_again_and_again_until_the_end():
    """And not once more after it."""
    action = Action()
    with Periodic("p", action, 0.001, jitter=0.5):
        action.wait_for(5)
    calls = action.calls
    assert "p" not in {thread.name for thread in threading.enumerate()}
    assert action.calls == calls


@pytest.mark.parametrize("error", [DatabaseUnavailable("down"), RuntimeError("defect")])
def test_an_error_of_one_call_does_not_end_the_next(error, caplog):
    """It is logged and counted; an outage without a trace, a defect with one."""
    action = Action(error, error)
    told = []
    with Periodic("reconciler", action, 0.001, on_error=told.append):
        action.wait_for(4)
    assert told == ["reconciler", "reconciler"]
    assert "reconciler" in caplog.text
    assert ("Traceback" in caplog.text) == isinstance(error, RuntimeError)


def test_the_end_waits_for_a_call_that_is_under_way():
    """A transaction is not cut in the middle."""
    begun, go_on = threading.Event(), threading.Event()
    ended = []

    def action():
        begun.set()
        go_on.wait(PATIENCE_S)
        ended.append(True)

    with Periodic("p", action, 0.001):
        begun.wait(PATIENCE_S)
        go_on.set()
    assert ended


def test_the_end_does_not_wait_for_the_pause():
    """A worker that leaves does not sleep for a minute first."""
    action = Action()
    with Periodic("p", action, 10_000):
        pass
    assert action.calls == 0
