"""Attempts at items of work, and the workers that make them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.tables import ATTEMPTS, WORKERS
from hilum.domain.attempt import Attempt, Worker
from hilum.domain.work import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

_GIVEN: Final = {
    column.name: sa.bindparam(f"its_{column.name}", type_=column.type)
    for column in ATTEMPTS.c
    if column.name not in {"number", "ended_at"}
}
# The item's row is locked by its outcome, so that no other attempt gets the same number.
_NUMBER: Final = (
    sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.number), 0) + 1)
    .where(ATTEMPTS.c.work_id == _GIVEN["work_id"], ATTEMPTS.c.kind == _GIVEN["kind"])
    .scalar_subquery()
)
_ADD: Final = Statement(
    sa.insert(ATTEMPTS)
    .values({**_GIVEN, "number": _NUMBER, "ended_at": database_now()})
    .returning(ATTEMPTS.c.number)
)
_OF: Final = (
    sa.select(*(ATTEMPTS.c[each.name] for each in fields(Attempt)))
    .where(
        ATTEMPTS.c.work_id == sa.bindparam("wanted_id", type_=sa.Uuid),
        ATTEMPTS.c.kind == sa.bindparam("wanted_kind", type_=sa.Text),
    )
    .order_by(ATTEMPTS.c.number)
)


_LOOKED_AT: Final = (
    sa.select(ATTEMPTS.c.work_id)
    .where(ATTEMPTS.c.work_id > sa.bindparam("after", type_=sa.Uuid))
    .order_by(ATTEMPTS.c.work_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_REMOVED: Final = sa.delete(ATTEMPTS).where(
    ATTEMPTS.c.work_id > sa.bindparam("after", type_=sa.Uuid),
    ATTEMPTS.c.work_id <= sa.bindparam("last", type_=sa.Uuid),
    ATTEMPTS.c.ended_at < database_later("minus_age_s"),
)


def _beat(insert: Any) -> Statement:
    given = {
        column.name: sa.bindparam(f"its_{column.name}", type_=column.type)
        for column in WORKERS.c
        if column.name != "last_beat_at"
    }
    statement = insert(WORKERS).values({**given, "last_beat_at": database_now()})
    changed = {
        column.name: statement.excluded[column.name]
        for column in WORKERS.c
        if not column.primary_key
    }
    return Statement(
        statement.on_conflict_do_update(index_elements=["name"], set_=changed).returning(
            WORKERS.c.last_beat_at
        )
    )


_BEAT: Final[Mapping[str, Statement]] = {
    "postgresql": _beat(postgresql.insert),
    "sqlite": _beat(sqlite.insert),
}
_WORKERS: Final = sa.select(*(WORKERS.c[each.name] for each in fields(Worker))).order_by(
    WORKERS.c.name
)


class SqlAttemptRepository:
    """See :class:`hilum.application.ports.attempts.AttemptRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, attempt: Attempt) -> None:
        """Write an attempt."""
        values = {f"its_{name}": getattr(attempt, name) for name in _GIVEN}
        values["its_outcome"] = attempt.outcome.value
        values["its_timings_ms"] = dict(attempt.timings_ms)
        _ADD.first(self._connection, values)

    def of(self, kind: str, work_id: UUID) -> Sequence[Attempt]:
        """Return the attempts at an item."""
        rows = self._connection.execute(_OF, {"wanted_id": work_id, "wanted_kind": kind})
        found = [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
        return [Attempt(**{**row, "outcome": AttemptOutcome(row["outcome"])}) for row in found]

    def remove_old(self, age: timedelta, after: UUID | None, most: int) -> UUID | None:
        """Remove attempts that ended so long ago, of some items."""
        here: dict[str, Any] = {"after": after or UUID(int=0)}
        ids = list(self._connection.execute(_LOOKED_AT, {**here, "most": most + 1}).scalars())
        last = max(ids[:most], default=None)
        if last is not None:
            here |= {"last": last, "minus_age_s": -age.total_seconds()}
            self._connection.execute(_REMOVED, here)
        return last if len(ids) > most else None


class SqlWorkerRepository:
    """See :class:`hilum.application.ports.attempts.WorkerRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, worker: Worker) -> datetime:
        """Write what a worker says of itself; the moment by the database's clock."""
        values = {f"its_{each.name}": getattr(worker, each.name) for each in fields(worker)}
        values["its_queues"] = list(worker.queues)
        values["its_breakers"] = dict(worker.breakers)
        (row,) = _BEAT[self._connection.dialect.name].all(self._connection, values)
        moment: datetime = row[0]
        return moment

    def all(self) -> Sequence[Worker]:
        """Return every worker."""
        found = [dict(row._mapping) for row in self._connection.execute(_WORKERS)]  # noqa: SLF001 - SQLAlchemy's public name
        return [Worker(**{**row, "queues": tuple(row["queues"])}) for row in found]

    def forget(self, silence: timedelta) -> int:
        """Remove the workers that have been silent for so long."""
        old = WORKERS.c.last_beat_at < database_later("ago_s")
        gone = sa.delete(WORKERS).where(old)
        return self._connection.execute(gone, {"ago_s": -silence.total_seconds()}).rowcount
