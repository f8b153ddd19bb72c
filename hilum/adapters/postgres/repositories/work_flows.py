"""Flows of one kind of work, and the tags that they give to queued items."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories.work_changes import NO_TAG
from hilum.adapters.postgres.tables import SITES, WORK_FLOWS
from hilum.domain.principal import ALL_SITES
from hilum.domain.site import Site
from hilum.domain.work import Priority, WorkEvent, WorkItem
from hilum.domain.work_flow import WorkFlow, virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from sqlalchemy.engine import Connection

    from hilum.adapters.postgres.repositories.work_table import ItemT, WorkTable

_FLOW: Final = WORK_FLOWS.c
_ONE: Final = (
    _FLOW.kind == sa.bindparam("of_kind", type_=sa.Text),
    _FLOW.priority == sa.bindparam("of_priority", type_=sa.Text),
    _FLOW.flow == sa.bindparam("of_flow", type_=sa.Text),
)
_LOCKED: Final = Statement(sa.select(*WORK_FLOWS.c).where(*_ONE).with_for_update())
_WEIGHTS: Final = sa.select(*SITES.c).where(SITES.c.id.in_(sa.bindparam("names", expanding=True)))
_KEPT: Final = Statement(
    sa.update(WORK_FLOWS)
    .where(*_ONE)
    .values(
        {
            column: sa.bindparam(f"new_{column.name}", type_=column.type)
            for column in WORK_FLOWS.c
            if not column.primary_key
        }
    )
    .returning(_FLOW.flow)
)
_PAUSED: Final = Statement(
    sa.update(WORK_FLOWS)
    .where(*_ONE)
    .values(
        paused_until=database_later("length_s"), pause_reason=sa.bindparam("because", type_=sa.Text)
    )
    .returning(_FLOW.flow)
)
_OF_NAME: Final = (
    _FLOW.kind == sa.bindparam("of_kind", type_=sa.Text),
    _FLOW.flow == sa.bindparam("of_flow", type_=sa.Text),
)
_IS_BLOCKED: Final = _FLOW.blocked_until > database_now()
_FAILURES: Final = Statement(sa.select(sa.func.max(_FLOW.failures)).where(*_OF_NAME))
_LIMITED: Final = Statement(
    sa.update(WORK_FLOWS)
    .where(*_OF_NAME)
    .values(max_running=sa.bindparam("most", type_=sa.Integer))
    .returning(_FLOW.priority)
)
_BLOCKED: Final = Statement(
    sa.update(WORK_FLOWS)
    .where(*_OF_NAME, sa.or_(_FLOW.blocked_until.is_(None), sa.not_(_IS_BLOCKED)))
    .values(blocked_until=database_later("length_s"), failures=_FLOW.failures + 1)
    .returning(_FLOW.priority)
)
_UNBLOCKED: Final = Statement(
    sa.update(WORK_FLOWS)
    .where(*_OF_NAME, _FLOW.failures > 0)
    .values(blocked_until=None, failures=0)
    .returning(_FLOW.priority)
)
_OVER: Final = (
    sa.select(*WORK_FLOWS.c)
    .where(
        _FLOW.kind == sa.bindparam("of_kind", type_=sa.Text), _FLOW.paused_until <= database_now()
    )
    .order_by(_FLOW.priority, _FLOW.flow)
)
# In a query of its own the moment is one value, which PostgreSQL can look up in an index.
_OLD: Final = sa.select(database_later("minus_age_s")).scalar_subquery()


class FlowStatements:
    """What :class:`SqlWorkFlowRepository` asks the table of one kind."""

    def __init__(self, work: WorkTable[Any]) -> None:
        table, flow = work.table, work.table.c[work.flow]
        # A literal: SQLite takes a partial index only where it can see the value.
        queued = table.c.state == sa.literal_column(f"'{work.life.source(WorkEvent.CLAIM).value}'")
        of_priority = sa.bindparam("of_priority", type_=sa.Text)
        order = (table.c.created_at, table.c.id)
        # The first item of a flow that was never tried: one step into the index, whatever waits
        # behind it.
        first = (
            sa.select(table.c.fair_tag)
            .where(
                queued,
                table.c.priority == _FLOW.priority,
                flow == _FLOW.flow,
                table.c.fair_tag > NO_TAG,
                table.c.attempts == 0,
            )
            .order_by(table.c.fair_tag, *order)
            .limit(1)
            .scalar_subquery()
            .label("first")
        )
        self.work = work
        self.tagged = Statement(
            sa.update(table)
            .where(table.c.id == sa.bindparam("wanted_id"))
            .values(fair_tag=sa.bindparam("tag", type_=sa.Double))
            .returning(table.c.id)
        )
        self.progress = Statement(
            sa.select(
                _FLOW.flow, _FLOW.last_tag, _FLOW.tag_offset, _FLOW.paused_until, first
            ).where(_FLOW.kind == work.life.kind, _FLOW.priority == of_priority)
        )
        self.first_of = Statement(
            sa.select(sa.func.min(table.c.fair_tag)).where(
                queued,
                table.c.priority == of_priority,
                flow == sa.bindparam("of_flow", type_=sa.Text),
                # An item that was tried keeps an old tag, which says nothing of the present.
                table.c.fair_tag > NO_TAG,
                table.c.attempts == 0,
            )
        )
        self.untagged = (
            sa.select(*work.columns)
            .where(queued, table.c.fair_tag == sa.literal_column("0"))
            .order_by(*order)
            .limit(sa.bindparam("at_most", type_=sa.Integer))
            .with_for_update(skip_locked=True)
        )
        self.aged = (
            sa.select(*work.columns)
            .where(
                queued,
                table.c.priority == of_priority,
                table.c.created_at <= _OLD,
            )
            .order_by(*order)
            .limit(sa.bindparam("at_most", type_=sa.Integer))
        )
        # Items are locked before their flow, here as where a person changes a priority.
        self.aged_locked = self.aged.with_for_update(skip_locked=True)
        self.raised = Statement(
            sa.update(table)
            .where(table.c.id == sa.bindparam("wanted_id"), queued)
            .values(
                priority=sa.bindparam("new_priority", type_=sa.Text),
                fair_tag=sa.bindparam("tag", type_=sa.Double),
                updated_at=database_now(),
            )
            .returning(*work.columns)
        )


class SqlWorkFlowRepository:
    """See :class:`hilum.application.ports.work_flows.WorkFlowRepository`."""

    def __init__(self, connection: Connection, statements: FlowStatements) -> None:
        self._connection = connection
        self._ask = statements
        self._kind = statements.work.life.kind

    def tagged(self, items: Sequence[ItemT]) -> Sequence[ItemT]:
        """Return items with their tags, given in this order."""
        with_tags = []
        # Before any flow moves on: what is queued together gains nothing on one another.
        priorities = {item.priority.value for item in items}
        progress = {priority: self._progress(priority) for priority in priorities}
        now = {priority: _virtual_time(rows) for priority, rows in progress.items()}
        known = {(priority, name) for priority, rows in progress.items() for name, *_ in rows}
        # Flows are locked in one order, so that two submissions cannot lock each other out.
        ordered = sorted(items, key=_flow_of)
        self._make(sorted({*map(_flow_of, items)} - known))
        for (priority, name), members in groupby(ordered, key=_flow_of):
            own = list(members)
            flow = self._locked(priority, name)
            tags, after = flow.enqueue(len(own), now[priority])
            self._keep(after)
            with_tags += [replace(item, fair_tag=tag) for item, tag in zip(own, tags, strict=True)]
        return with_tags

    def enqueue(self, items: Sequence[WorkItem]) -> None:
        """Give items that are in the database new tags, in this order."""
        for item in self.tagged(items):
            values = {"wanted_id": item.id, "tag": item.fair_tag}
            self._ask.tagged.first(self._connection, values)

    def adopt(self, limit: int) -> int:
        """Give tags to queued items that have none."""
        rows = self._connection.execute(self._ask.untagged, {"at_most": limit})
        found = [self._ask.work.item_of(row) for row in rows]
        self.enqueue(found)
        return len(found)

    def raise_aged(self, age: timedelta, most: int) -> Sequence[WorkItem]:
        """Let batch items that have waited for so long be routine."""
        room = most - len(self._aged(self._ask.aged, Priority.ROUTINE, age, most))
        # Also where much routine work is as old: one at a time, batch goes on.
        batch = self._aged(self._ask.aged_locked, Priority.BATCH, age, max(1, room))
        routine = [replace(item, priority=Priority.ROUTINE) for item in batch]
        rows = [
            self._ask.raised.first(
                self._connection,
                {"wanted_id": item.id, "new_priority": item.priority.value, "tag": item.fair_tag},
            )
            for item in self.tagged(routine)
        ]
        return [self._ask.work.item_of(row) for row in rows if row is not None]

    def _aged(
        self, query: sa.Select[Any], priority: Priority, age: timedelta, most: int
    ) -> list[WorkItem]:
        values = {"of_priority": priority.value, "minus_age_s": -age.total_seconds()}
        rows = self._connection.execute(query, {**values, "at_most": most})
        return [self._ask.work.item_of(row) for row in rows]

    def all(self) -> Sequence[WorkFlow]:
        """Every flow."""
        query = sa.select(*WORK_FLOWS.c).where(_FLOW.kind == self._kind)
        ordered = query.order_by(_FLOW.priority, _FLOW.flow)
        return [_flow(row) for row in self._connection.execute(ordered)]

    def pause(self, priority: Priority, name: str, length: timedelta, reason: str) -> None:
        """Let no item of a flow be claimed for a while."""
        flow = self._locked(priority.value, name)
        values = {"length_s": length.total_seconds(), "because": reason}
        _PAUSED.first(self._connection, {**_of(flow), **values})

    def resume(self, priority: Priority, name: str) -> bool:
        """End a pause."""
        flow = self._locked(priority.value, name)
        if flow.paused_until is None:
            return False
        self._resume(flow)
        return True

    def end_pauses(self) -> Sequence[WorkFlow]:
        """Resume the flows whose pause is over."""
        over = map(_flow, self._connection.execute(_OVER, {"of_kind": self._kind}).all())
        # Somebody may have paused it for longer before it was locked here.
        ended = [flow for flow in over if self._locked(flow.priority.value, flow.flow) == flow]
        for flow in ended:
            self._resume(flow)
        return ended

    def _resume(self, flow: WorkFlow) -> None:
        row = self._ask.first_of.first(self._connection, _of(flow))
        first = row[0] if row else None
        self._keep(flow.resume(first, _virtual_time(self._progress(flow.priority.value))))

    def set_weight(self, name: str, weight: float) -> None:
        """Set the weight of a flow at every priority.

        Flows that are not there are made. So whoever makes the same at this time, and knows the
        former weight, waits for this transaction or is waited for.
        """
        priorities = sorted(priority.value for priority in Priority)
        self._make([(priority, name) for priority in priorities])
        for priority in priorities:
            self._keep(self._locked(priority, name).with_weight(weight))

    def limit(self, name: str, max_running: int) -> None:
        """Let at most so many items of a flow run at the same time."""
        self._make([(priority, name) for priority in sorted(each.value for each in Priority)])
        _LIMITED.all(self._connection, {**self._named(name), "most": max_running})

    def block(self, name: str, delay: Callable[[int], timedelta]) -> bool:
        """Let no item of a flow be claimed for a while."""
        ((failures,),) = _FAILURES.all(self._connection, self._named(name))
        length_s = delay(failures or 0).total_seconds()
        return bool(_BLOCKED.all(self._connection, {**self._named(name), "length_s": length_s}))

    def unblock(self, name: str) -> bool:
        """End a block and forget the failures."""
        return bool(_UNBLOCKED.all(self._connection, self._named(name)))

    def _named(self, name: str) -> dict[str, str]:
        return {"of_kind": self._kind, "of_flow": name}

    def _make(self, names: Sequence[tuple[str, str]]) -> None:
        """Make the flows that are not there, with the weights of their sites.

        Sites come before flows, and both before the first lock of a flow that was there. Within
        each all transactions have one order, so that none waits for one that waits for it.
        """
        if not names:
            return
        weights: dict[str, float] = {}
        if self._ask.work.flows_are_sites:
            sites = sorted({name for _, name in names} - {ALL_SITES})
            insert_absent(self._connection, SITES.c.id, [asdict(Site(name)) for name in sites])
            found = self._connection.execute(_WEIGHTS, {"names": sites})
            weights = {row.id: row.weight for row in found}
        fresh = [
            WorkFlow(self._kind, Priority(priority), name, weight=weights.get(name, 1.0))
            for priority, name in names
        ]
        rows = [{**asdict(flow), "priority": flow.priority.value} for flow in fresh]
        insert_absent(self._connection, _FLOW.flow, rows)

    def _locked(self, priority: str, name: str) -> WorkFlow:
        one = {"of_kind": self._kind, "of_priority": priority, "of_flow": name}
        row = _LOCKED.first(self._connection, one)
        if row is None:
            self._make([(priority, name)])
            (row,) = _LOCKED.all(self._connection, one)
        return _flow(row)

    def _keep(self, flow: WorkFlow) -> None:
        values = {f"new_{name}": value for name, value in asdict(flow).items()}
        _KEPT.first(self._connection, {**values, **_of(flow)})

    def _progress(self, priority: str) -> list[tuple[Any, ...]]:
        return self._ask.progress.all(self._connection, {"of_priority": priority})


def _virtual_time(progress: Sequence[tuple[Any, ...]]) -> float:
    return virtual_time(
        [first + offset for *_, offset, paused, first in progress if first and paused is None],
        [last + offset for _, last, offset, *_ in progress],
    )


def _flow_of(item: WorkItem) -> tuple[str, str]:
    return item.priority.value, item.flow


def _flow(row: Sequence[Any]) -> WorkFlow:
    kind, priority, *rest = row
    return WorkFlow(kind, Priority(priority), *rest)


def _of(flow: WorkFlow) -> dict[str, str]:
    return {"of_kind": flow.kind, "of_priority": flow.priority.value, "of_flow": flow.flow}
