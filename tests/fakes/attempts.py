"""Attempts and workers in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from hilum.domain.attempt import Attempt, Worker
    from tests.fakes.repositories import Rows


class InMemoryAttempts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, attempt: Attempt) -> None:
        self._rows.require_writable()
        number = len(self.of(attempt.kind, attempt.work_id)) + 1
        self._rows.attempts.append(replace(attempt, number=number, ended_at=self._rows.now()))

    def of(self, kind: str, work_id: UUID) -> Sequence[Attempt]:
        return [one for one in self._rows.attempts if (one.kind, one.work_id) == (kind, work_id)]

    def remove_old(self, age: timedelta, after: UUID | None, most: int) -> UUID | None:
        self._rows.require_writable()
        ids = sorted(one.work_id for one in self._rows.attempts if not after or one.work_id > after)
        last = ids[:most][-1] if ids else None
        before = self._rows.now() - age
        self._rows.attempts = [
            one
            for one in self._rows.attempts
            if (one.work_id not in ids or one.work_id > last or one.ended_at >= before)
        ]
        return last if len(ids) > most else None


class InMemoryWorkers:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def beat(self, worker: Worker) -> datetime:
        self._rows.require_writable()
        now = self._rows.now()
        self._rows.workers[worker.name] = replace(worker, last_beat_at=now)
        return now

    def all(self) -> Sequence[Worker]:
        return sorted(self._rows.workers.values(), key=lambda worker: worker.name)

    def forget(self, silence: timedelta) -> int:
        self._rows.require_writable()
        old = [
            worker.name
            for worker in self._rows.workers.values()
            if worker.last_beat_at is not None and worker.last_beat_at < self._rows.now() - silence
        ]
        for name in old:
            del self._rows.workers[name]
        return len(old)
