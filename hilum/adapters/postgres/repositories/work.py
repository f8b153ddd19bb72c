"""Work of one kind: moved from state to state on conditions."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic

import sqlalchemy as sa

from hilum.adapters.postgres.advisory_locks import advisory_key
from hilum.adapters.postgres.database_clock import database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert
from hilum.adapters.postgres.repositories.work_changes import WorkChanges
from hilum.adapters.postgres.repositories.work_claim import claim_next, count_claimable
from hilum.adapters.postgres.repositories.work_table import ItemT, WorkTable
from hilum.application.ports.repositories import QueueDepth
from hilum.domain.errors import TransitionNotAllowed
from hilum.domain.work import Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.engine import Connection

    from hilum.domain.work import AttemptOutcome, Reason

_MEASURED: Final = (WorkEvent.CLAIM, WorkEvent.RELEASE, WorkEvent.RETRY)
"""Events of the states whose items are counted: queued, running and failed."""
_LOCK: Final = Statement(
    sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger)))
)
_AT_MOST: Final = sa.bindparam("at_most", type_=sa.Integer)


class WorkStatements(Generic[ItemT]):
    """What :class:`SqlWorkRepository` runs for one kind, generated from its life cycle."""

    def __init__(
        self,
        work: WorkTable[ItemT],
        own: Mapping[WorkEvent, Mapping[str, Any]] | None = None,
    ) -> None:
        """Take a kind; see :class:`WorkChanges` for the values of its own."""
        self.work = work
        self.claim = claim_next(work)
        self.claimable = count_claimable(work)
        self.changes = WorkChanges(work, own)
        table = work.table
        queued: sa.ColumnElement[Any] = sa.literal_column(
            f"'{work.life.source(WorkEvent.CLAIM).value}'"
        )
        order = ("priority", work.flow, "fair_tag", "created_at", "id")
        # In the order of the index of the claim, so that no plan walks through the table.
        self.waiting = Statement(
            sa.select(table.c.id)
            .where(table.c.state == queued)
            .order_by(*(table.c[name] for name in order))
            .limit(1)
        )
        self.one = Statement(sa.select(*work.columns).where(table.c.id == sa.bindparam("wanted")))

    @cached_property
    def expired(self) -> sa.Select[Any]:
        """Return the query for running items whose lease is over."""
        table = self.work.table
        running = self.work.life.source(WorkEvent.RELEASE).value
        return (
            sa.select(*self.work.columns)
            .where(
                table.c.state == sa.literal_column(f"'{running}'"),
                table.c.lease_expires_at <= database_now(),
            )
            .order_by(table.c.lease_expires_at, table.c.id)
            .limit(_AT_MOST)
        )

    @cached_property
    def depths(self) -> sa.Select[Any]:
        """Return the query for the depth of the queues."""
        table, life = self.work.table, self.work.life
        measured = [life.source(event).value for event in _MEASURED]
        return (
            sa.select(
                table.c.priority, table.c.state, sa.func.count(), sa.func.min(table.c.created_at)
            )
            .where(table.c.state.in_(measured))
            .group_by(table.c.priority, table.c.state)
        )


class SqlWorkRepository(Generic[ItemT]):
    """See :class:`hilum.application.ports.work.WorkRepository`."""

    def __init__(self, connection: Connection, statements: WorkStatements[ItemT]) -> None:
        self._connection = connection
        self._statements = statements
        self._life = statements.work.life

    def add(self, items: Sequence[ItemT]) -> None:
        """Add queued items."""
        work = self._statements.work
        insert(self._connection, work.table, [work.row_of(item) for item in items])

    def get(self, item_id: UUID) -> ItemT | None:
        """An item by id."""
        return self._one(self._statements.one, wanted=item_id)

    def claim(self, priorities: Sequence[Priority], owner: str, lease: timedelta) -> ItemT | None:
        """From queued to running, for the next item of these priorities; attempts + 1."""
        # Planning a claim costs more than running it, and most ends of a drain find nothing.
        if self._statements.waiting.first(self._connection, {}) is None:
            return None
        if self._statements.work.limited and self._connection.dialect.name == "postgresql":
            _LOCK.all(self._connection, {"key": advisory_key(f"claim_{self._life.kind}")})
        served = {
            f"served_{priority.value}": priority.value if priority in priorities else ""
            for priority in Priority
        }
        statement = self._statements.claim[self._connection.dialect.name]
        return self._one(statement, owner=owner, lease_s=lease.total_seconds(), **served)

    def extend_leases(self, owner: str, item_ids: Sequence[UUID], lease: timedelta) -> int:
        """Heartbeat: renew the leases of running items of this owner; the number that it holds."""
        values = {
            "owner": owner,
            "wanted_ids": list(item_ids),
            "lease_s": lease.total_seconds(),
        }
        return self._connection.execute(self._statements.changes.extend, values).rowcount

    def finish(
        self,
        item: ItemT,
        event: WorkEvent,
        *,
        reason: Reason | None = None,
        timings_ms: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> ItemT | None:
        """End a run, if the claim of ``item`` still holds."""
        statement = self._statements.changes.finish.get(event)
        if statement is None:
            raise TransitionNotAllowed(f"{event.value} does not finish a {self._life.noun}")
        self._life.after(item.state, event)
        if timings_ms is None:
            timings_ms = getattr(item, "timings_ms", {})
        own = {"timings": dict(timings_ms), "notes": list(notes) or None}
        return self._one(statement, **_because(reason), **_held(item), **own)

    def release(
        self,
        item: ItemT,
        outcome: AttemptOutcome,
        *,
        reason: Reason | None = None,
        backoff: timedelta = timedelta(),
    ) -> ItemT | None:
        """From running to queued, if the claim of ``item`` still holds."""
        self._life.after(item.state, WorkEvent.RELEASE)
        return self._one(
            self._statements.changes.release[outcome],
            backoff_s=backoff.total_seconds(),
            **_because(reason),
            **_held(item),
        )

    def park(self, item: ItemT, *, reason: Reason, lost: bool) -> ItemT | None:
        """From running to failed, if the claim of ``item`` still holds."""
        if not lost:
            return self.finish(item, WorkEvent.PARK, reason=reason)
        self._life.after(item.state, WorkEvent.PARK)
        return self._one(self._statements.changes.park_lost, **_because(reason), **_held(item))

    def change(self, item: ItemT, event: WorkEvent, reason: Reason | None = None) -> ItemT | None:
        """Let an event happen that no slot brings about, if the item is in the same state yet."""
        self._life.after(item.state, event)
        statement = self._statements.changes.others.get((item.state, event))
        if statement is None:
            raise TransitionNotAllowed(f"{event.value} is an event of a slot")
        return self._one(statement, wanted_id=item.id, **_because(reason))

    def expedite(self, item_id: UUID) -> ItemT | None:
        """End the backoff of a queued item."""
        return self._one(self._statements.changes.expedite, wanted_id=item_id)

    def reprioritise(self, item_id: UUID, priority: Priority) -> ItemT | None:
        """Give a queued item another priority."""
        changed = self._statements.changes.reprioritise
        return self._one(changed, wanted_id=item_id, new_priority=priority.value)

    def raise_priority(self, item_id: UUID, priority: Priority) -> ItemT | None:
        """Give a queued or running item a higher priority."""
        changed = self._statements.changes.raise_priority
        return self._one(changed, wanted_id=item_id, new_priority=priority.value)

    def expired(self, limit: int) -> Sequence[ItemT]:
        """Running items whose lease is over, oldest lease first."""
        return self._some(self._statements.expired, at_most=limit)

    def claimable(self, priority: Priority, most: int) -> int:
        """Return how many queued items of unpaused flows may start, at most ``most``."""
        query = self._statements.claimable[self._connection.dialect.name]
        values = {"wanted_priority": priority.value, "at_most": most}
        return int(self._connection.execute(query, values).scalar_one())

    def depths(self) -> Mapping[Priority, QueueDepth]:
        """Depth of every queue."""
        rows = {(row[0], row[1]): row for row in self._connection.execute(self._statements.depths)}
        nothing = (None, None, 0, None)
        depths = {}
        for priority in Priority:
            queued, running, failed = (
                rows.get((priority, self._life.source(event)), nothing) for event in _MEASURED
            )
            depths[priority] = QueueDepth(queued[2], running[2], queued[3], failed[2])
        return depths

    def _one(self, statement: Statement, **values: Any) -> ItemT | None:
        row = statement.first(self._connection, values)
        return None if row is None else self._statements.work.item_of(row)

    def _some(self, statement: sa.Executable, **values: Any) -> list[ItemT]:
        item_of = self._statements.work.item_of
        return [item_of(row) for row in self._connection.execute(statement, values)]


def _because(reason: Reason | None) -> dict[str, str | None]:
    return {
        "because": reason.code if reason else None,
        "because_detail": reason.detail if reason else None,
    }


def _held(item: ItemT) -> dict[str, Any]:
    """Return what names a claim."""
    return {"wanted_id": item.id, "owner": item.lease_owner, "claimed_at": item.started_at}
