"""The statements that move an item from state to state, each conditional on where it stands.

They are generated from the life cycle of the kind: the database decides whether the event may
happen, by the state in the WHERE, and so at most one of two askers gets a row back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.domain.work import AttemptOutcome, Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hilum.adapters.postgres.repositories.work_table import WorkTable

_NOW = database_now()
_REASON: Final = {
    "reason_code": sa.bindparam("because", type_=sa.Text),
    "reason_detail": sa.bindparam("because_detail", type_=sa.Text),
}
_NO_REASON: Final = {"reason_code": None, "reason_detail": None}
_NO_LEASE: Final = {"lease_owner": None, "lease_expires_at": None}
_FRESH: Final = {"attempts": 0, "losses": 0, "not_before": None, "finished_at": None, **_NO_REASON}
_SUCCESS: Final = (WorkEvent.COMPLETE, WorkEvent.DELIVER)

NO_TAG: Final = 0.0
"""Tag of an item that its flow has to tag."""

ENDS_RUN: Final = (WorkEvent.COMPLETE, WorkEvent.DELIVER, WorkEvent.REJECT, WorkEvent.PARK)
"""Events that end a run, by the slot that holds the claim."""


def _less_urgent(
    priority: sa.ColumnElement[str], than: sa.ColumnElement[str]
) -> list[sa.ColumnElement[bool]]:
    """Return conditions of which one holds where a priority is less urgent than another."""
    urgent = [each.value for each in Priority]
    return [
        sa.and_(than == higher, priority == lower)
        for place, higher in enumerate(urgent)
        for lower in urgent[place + 1 :]
    ]


class WorkChanges:
    """The statements of one kind."""

    def __init__(
        self, work: WorkTable[Any], own: Mapping[WorkEvent, Mapping[str, Any]] | None = None
    ) -> None:
        """Generate them.

        Args:
            work: The kind and its table.
            own: Values of columns that only this kind has, by the event that writes them.
        """
        self._work = work
        own, life = own or {}, work.life
        table = work.table
        # A claim is known by its owner and its time: a heartbeat moves the lease and not these.
        same_claim = (
            table.c.lease_owner == sa.bindparam("owner"),
            table.c.started_at == sa.bindparam("claimed_at", type_=table.c.started_at.type),
        )
        # What counts a worker as lost must not race its heartbeat.
        expired = (*same_claim, table.c.lease_expires_at <= _NOW)
        self.finish = {
            event: self._change(event, *same_claim, **self._ended(event), **own.get(event, {}))
            for event in ENDS_RUN
            if life.sources(event)
        }
        released = {**_NO_LEASE, **_REASON, "not_before": database_later("backoff_s")}
        one_more = {"losses": table.c.losses + 1}
        costs: Mapping[AttemptOutcome, Mapping[str, Any]] = {
            AttemptOutcome.DONE: {"attempts": 0, "losses": 0},
            AttemptOutcome.FAILED: {},
            AttemptOutcome.OUTAGE: {"attempts": table.c.attempts - 1, "not_before": None},
            AttemptOutcome.LOST: one_more,
        }
        self.release = {
            outcome: self._change(
                WorkEvent.RELEASE,
                *(expired if outcome is AttemptOutcome.LOST else same_claim),
                **{**released, **cost},
                **own.get(WorkEvent.RELEASE, {}),
            )
            for outcome, cost in costs.items()
        }
        self.park_lost = self._change(
            WorkEvent.PARK, *expired, **self._ended(WorkEvent.PARK), **one_more
        )
        self.others = {
            (state, event): self._change(
                event, source=state, **self._other(state, event), **own.get(event, {})
            )
            for (state, event) in life.transitions
            if event not in {*ENDS_RUN, WorkEvent.ENQUEUE, WorkEvent.CLAIM, WorkEvent.RELEASE}
        }
        """What no slot does, by state and event."""
        queued = life.source(WorkEvent.CLAIM).value
        while_queued = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("wanted_id"), table.c.state == queued)
            .returning(*work.columns)
        )
        self.expedite = Statement(while_queued.values(not_before=None, updated_at=_NOW))
        new_priority = sa.bindparam("new_priority", type_=sa.Text)
        self.reprioritise = Statement(while_queued.values(priority=new_priority, updated_at=_NOW))
        running = life.source(WorkEvent.RELEASE).value
        self.raise_priority = Statement(
            sa.update(table)
            .where(
                table.c.id == sa.bindparam("wanted_id"),
                sa.or_(table.c.state == queued, table.c.state == running),
                # Another one may have raised it since it was read.
                sa.or_(*_less_urgent(table.c.priority, new_priority)),
            )
            .values(priority=new_priority, fair_tag=NO_TAG, updated_at=_NOW)
            .returning(*work.columns)
        )
        self.extend = (
            sa.update(table)
            .where(
                table.c.id.in_(sa.bindparam("wanted_ids", expanding=True)),
                table.c.state == running,
                table.c.lease_owner == sa.bindparam("owner"),
            )
            .values(lease_expires_at=database_later("lease_s"))
        )

    def _change(
        self,
        event: WorkEvent,
        *conditions: sa.ColumnElement[bool],
        source: Any = None,
        **values: Any,
    ) -> Statement:
        """Return an UPDATE of one item to which the event may happen, giving back the item."""
        table, life = self._work.table, self._work.life
        before = source or life.source(event)
        return Statement(
            sa.update(table)
            .where(
                table.c.id == sa.bindparam("wanted_id"),
                table.c.state == before.value,
                *conditions,
            )
            .values(state=life.after(before, event).value, updated_at=_NOW, **values)
            .returning(*self._work.columns)
        )

    @staticmethod
    def _ended(event: WorkEvent) -> dict[str, Any]:
        why = _NO_REASON if event in _SUCCESS else _REASON
        return {**_NO_LEASE, **why, "finished_at": _NOW}

    def _other(self, state: Any, event: WorkEvent) -> dict[str, Any]:
        if event in {WorkEvent.RETRY, WorkEvent.RESUBMIT, WorkEvent.DENY}:
            return _FRESH
        if event is WorkEvent.CONFIRM or state is self._work.life.source(WorkEvent.RETRY):
            return {}
        return {**_NO_LEASE, **_REASON, "finished_at": _NOW}
