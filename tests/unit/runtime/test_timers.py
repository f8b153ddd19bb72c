"""Timers of a process."""

from __future__ import annotations

import threading
import time

import pytest
from structlog.testing import capture_logs

from hilum.domain.errors import DatabaseUnavailable
from hilum.runtime.timers import Timers

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
    """No call is made after the end, and no thread stays."""
    before = set(threading.enumerate())
    action = Action()
    with Timers().every(0.01, "p", action, jitter=0.5):
        action.wait_for(5)
    calls = action.calls
    assert set(threading.enumerate()) <= before
    assert action.calls == calls


@pytest.mark.parametrize("error", [DatabaseUnavailable("down"), RuntimeError("defect")])
def test_an_error_of_one_call_does_not_end_the_next(error):
    """It is logged and counted; an outage without a trace, a defect with one."""
    action = Action(error, error)
    told: list[str] = []
    with capture_logs() as lines, Timers(told.append).every(0.01, "reconciler", action):
        action.wait_for(4)
    assert told == ["reconciler", "reconciler"]
    failed = [line for line in lines if line["event"] == "timer.failed"]
    assert [line["timer"] for line in failed] == ["reconciler", "reconciler"]
    assert all(line.get("exc_info", False) == isinstance(error, RuntimeError) for line in failed)


def test_the_end_waits_for_a_call_that_is_under_way():
    """A transaction is not cut in the middle."""
    begun, go_on = threading.Event(), threading.Event()
    ended = []

    def action():
        begun.set()
        go_on.wait(PATIENCE_S)
        ended.append(True)

    with Timers().every(0.01, "p", action):
        begun.wait(PATIENCE_S)
        go_on.set()
    assert ended


def test_a_slow_timer_holds_up_no_other():
    """While one call is under way, the other timer's calls go on and its own are left out."""
    go_on = threading.Event()
    slow, quick = Action(), Action()

    def hang():
        slow()
        go_on.wait(PATIENCE_S)

    with Timers().every(0.01, "slow", hang).every(0.01, "quick", quick):
        slow.wait_for(1)
        quick.wait_for(quick.calls + 10)
        assert slow.calls == 1
        go_on.set()


def test_the_end_does_not_wait_for_the_pause():
    """A worker that leaves does not wait until the next call is due."""
    action = Action()
    with Timers().every(10_000, "p", action):
        pass
    assert action.calls == 0


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_step_of_the_clock_stops_no_timer(monkeypatch, step_s):
    """A clock that is set back or forward by an hour leaves the heartbeat going."""
    from apscheduler.schedulers import base  # noqa: PLC0415 - its clock is replaced

    offset = [0.0]
    real, real_time = base.datetime, time.time

    class Stepped(real):
        @classmethod
        def now(cls, tz=None) -> Stepped:
            return real.fromtimestamp(real_time() + offset[0], tz)

    monkeypatch.setattr(base, "datetime", Stepped)
    monkeypatch.setattr("hilum.runtime.timers.datetime", Stepped)
    monkeypatch.setattr("hilum.runtime.timers.time.time", lambda: real_time() + offset[0])
    action = Action()
    with capture_logs() as lines, Timers().every(0.05, "p", action):
        action.wait_for(2)
        offset[0] = step_s
        action.wait_for(action.calls + 4)
    assert [round(line["seconds"], -2) for line in lines if line["event"] == "clock.stepped"] == [
        step_s
    ]
