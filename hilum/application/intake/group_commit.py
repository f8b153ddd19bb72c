"""Group commit: submissions that wait at the same moment share one transaction.

Transactions that write the audit log wait for one another, about one flush of the disk each. The
first that finds nobody at work leads: it writes what waits, its own among it. What comes meanwhile
waits, and the first of that leads next. So there is no timer, and a lone submission waits for
nobody. See docs/adr/0028-submissions-that-wait-share-a-transaction.md.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hilum.application.intake.submission_rows import record_submissions
from hilum.domain.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.intake.submission_rows import RecordedSubmission, Recording
    from hilum.application.ports.unit_of_work import UnitOfWork

MOST_TOGETHER: Final = 64
"""Submissions in one transaction, so that its locks are short."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A submission that waits: for its outcome, or to lead.

    Attributes:
        recording: What is to be written.
        woken: Set with an outcome, or when it is to lead.
        outcome: What was written, or why not. None until then.
    """

    recording: Recording
    woken: threading.Event = field(default_factory=threading.Event)
    outcome: RecordedSubmission | Exception | None = None


class GroupCommit:
    """Writes submissions of the threads of one process."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._led = False

    @property
    def waiting(self) -> int:
        """Return how many submissions wait for a transaction that has not begun."""
        with self._lock:
            return len(self._waiting)

    def record(self, recording: Recording) -> RecordedSubmission:
        """Write the rows of a submission; blocks until they are durable.

        Raises:
            DatabaseUnavailable: The rows may stand or not; sending again is safe.
        """
        own = _Waiting(recording)
        with self._lock:
            self._waiting.append(own)
            leads, self._led = not self._led, True
        if not leads:
            own.woken.wait()
        if own.outcome is None:
            self._lead()
        assert own.outcome is not None  # noqa: S101 - the leader is the first of its group
        if isinstance(own.outcome, Exception):
            raise own.outcome
        return own.outcome

    def _lead(self) -> None:
        with self._lock:
            group = self._waiting[:MOST_TOGETHER]
            del self._waiting[:MOST_TOGETHER]
        try:
            outcomes = self._write([one.recording for one in group])
            for one, outcome in zip(group, outcomes, strict=True):
                one.outcome = outcome
        except BaseException:
            for one in group:
                one.outcome = DatabaseUnavailable("the thread that wrote the rows was ended")
            raise
        finally:
            with self._lock:
                self._led = bool(self._waiting)
                woken = [*group, *self._waiting[:1]]
            for one in woken:
                one.woken.set()

    def _write(self, recordings: Sequence[Recording]) -> Sequence[RecordedSubmission | Exception]:
        try:
            return record_submissions(self._unit_of_work, recordings)
        except DatabaseUnavailable as error:
            # Whether the rows stand is unknown, and the next attempt would wait as long.
            return [DatabaseUnavailable(error.detail) for _ in recordings]
        except Exception as error:  # noqa: BLE001 - passed on to the thread that it concerns
            if len(recordings) == 1:
                return [error]
            # Nothing was written. One that cannot be written is not to fail its neighbours.
            return [outcome for one in recordings for outcome in self._write([one])]
