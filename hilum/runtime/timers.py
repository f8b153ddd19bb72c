"""Timers of a process, on APScheduler."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from hilum.domain.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_LOG: Final = structlog.get_logger(__name__)

_LONGEST_WAIT_S: Final = 5.0
_CLOCK_STEP_S: Final = 1.0


class Timers:
    """Run actions again and again, each in a thread of its own; outlive every error of them.

    ``with Timers() as timers:`` starts them. The end waits for the calls that are under way.
    """

    def __init__(self, on_error: Callable[[str], None] | None = None) -> None:
        """Prepare; nothing runs yet.

        Args:
            on_error: Told the name of the timer whose action failed.
        """
        self._on_error = on_error
        self._scheduler = _SteadyScheduler(
            timezone=UTC,
            # However late it is, a call is made, and once for all that were missed.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(
        self, seconds: float, name: str, action: Callable[[], object], *, jitter: float = 0.0
    ) -> Self:
        """Add a timer.

        Args:
            seconds: Time between the beginnings of two calls. While a call takes longer, the
                ones that fall due are left out.
            name: Of the timer, for logs and metrics.
            action: Called again and again; an exception of it is logged.
            jitter: Part of the time, in [0, 1), by which a call may come later, so that many
                processes do not act in step.
        """
        self._scheduler.add_job(
            lambda: self._run(name, action),
            "interval",
            seconds=seconds,
            jitter=seconds * jitter or None,
            id=name,
        )
        return self

    def __enter__(self) -> Self:
        """Start."""
        self._scheduler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and wait for calls that are under way."""
        self._scheduler.shutdown(wait=True)

    def _run(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Transient as error:
            # Told without a trace: an outage repeats this line every few seconds.
            _LOG.warning("timer.failed", timer=name, code=error.code, detail=str(error))
        except Exception:  # noqa: BLE001 - a defect of one call must not end the next
            _LOG.exception("timer.failed", timer=name)
        else:
            return
        if self._on_error is not None:
            self._on_error(name)


class _SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # untyped
    """A scheduler that a step of the clock does not stop.

    APScheduler plans by the wall clock. Were that set back by an hour, no lease would be renewed
    for an hour. So it looks at least every few seconds, and calls every timer after a step.
    """

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._offset_s = time.time() - time.monotonic()

    def _process_jobs(self) -> float:
        offset_s = time.time() - time.monotonic()
        if abs(offset_s - self._offset_s) > _CLOCK_STEP_S:
            _LOG.warning("clock.stepped", seconds=round(offset_s - self._offset_s, 1))
            for job in self.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))
        self._offset_s = offset_s
        wait_s = super()._process_jobs()
        return min(_LONGEST_WAIT_S, wait_s if wait_s is not None else _LONGEST_WAIT_S)
