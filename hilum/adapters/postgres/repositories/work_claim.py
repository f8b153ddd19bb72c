"""The statement that claims the next item of a kind: one row is locked, whatever waits.

Of each flow of a priority the first claimable item is looked up in the partial index of the claim.
These heads are put in order: by fair tag, then by age. The first flow that yields an unlocked row
gives the item. A flow whose rows are all locked by other claims is passed over.

On PostgreSQL the lock is taken inside a LATERAL with ``LIMIT 1`` under an outer ``LIMIT 1``. A
plain ``WHERE id = (SELECT ... LIMIT 1)`` would return nothing where another claim holds that row.
SQLite has one writer at a time, so that the first head is always free.

Flows of a kind that is *limited* may be blocked, and have at most so many running items. Claims of
such a kind follow one another under an advisory lock, since each has to see what runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.tables import WORK_FLOWS
from hilum.domain.work import Priority, WorkEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from hilum.adapters.postgres.repositories.work_table import WorkTable

_NOW = database_now()
_FLOW = WORK_FLOWS.c


def _first_of_flow(work: WorkTable[Any], flow: Any, number: Any = 1) -> sa.Select[Any]:
    """Return the query for the first claimable items of a flow."""
    table = work.table
    return (
        sa.select(table.c.id, table.c.fair_tag, table.c.created_at)
        .where(
            # A literal: SQLite takes a partial index only where it can see the value.
            table.c.state == sa.literal_column(f"'{work.life.source(WorkEvent.CLAIM).value}'"),
            table.c.priority == flow.priority,
            table.c[work.flow] == flow.flow,
            sa.or_(table.c.not_before.is_(None), table.c.not_before <= _NOW),
        )
        .order_by(table.c.fair_tag, table.c.created_at, table.c.id)
        .limit(number)
    )


def _open(work: WorkTable[Any], parameter: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a flow from which an item may be claimed."""
    served = sa.bindparam(parameter, type_=sa.Text)
    always = _FLOW.kind == work.life.kind, _FLOW.paused_until.is_(None), _FLOW.priority == served
    return (*always, *_has_room(work)) if work.limited else always


def _has_room(work: WorkTable[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a flow that is not blocked, and of which not too many items run.

    After a block one item is tried, whatever the limit.
    """
    running = work.table.alias("running")
    state = work.life.source(WorkEvent.RELEASE).value
    number = (
        sa.select(sa.func.count())
        .select_from(running)
        .where(
            running.c.state == sa.literal_column(f"'{state}'"),
            running.c[work.flow] == _FLOW.flow,
        )
        .correlate(WORK_FLOWS)
        .scalar_subquery()
    )
    most = sa.case((_FLOW.failures > 0, 1), else_=_FLOW.max_running)
    return (
        sa.or_(_FLOW.blocked_until.is_(None), _FLOW.blocked_until <= _NOW),
        sa.or_(most.is_(None), number < most),
    )


def count_claimable(work: WorkTable[Any]) -> dict[str, sa.Select[Any]]:
    """Return the query for the number of items that may be claimed, by the name of the dialect.

    It reads ``at_most`` items, on SQLite of each flow, and none of a paused one.
    """
    most = sa.bindparam("at_most", type_=sa.Integer)
    of_flow, is_open = _first_of_flow(work, _FLOW, most), _open(work, "wanted_priority")
    each = of_flow.lateral("of_flow")
    found = sa.select(each.c.id).select_from(WORK_FLOWS.join(each, sa.true())).where(*is_open)
    in_flow = of_flow.correlate(WORK_FLOWS).subquery()
    number = sa.select(sa.func.count()).select_from(in_flow).scalar_subquery()
    return {
        "postgresql": sa.select(sa.func.count()).select_from(found.limit(most).subquery()),
        "sqlite": sa.select(sa.func.min(sa.func.total(number), most)).where(*is_open),
    }


def _on_postgresql(work: WorkTable[Any], priority: Priority) -> sa.ScalarSelect[Any]:
    head = _first_of_flow(work, _FLOW).lateral(f"head_{priority.value}")
    heads = (
        sa.select(_FLOW.priority, _FLOW.flow)
        .select_from(WORK_FLOWS.join(head, sa.true()))
        .where(*_open(work, f"served_{priority.value}"))
        .order_by(head.c.fair_tag + _FLOW.tag_offset, head.c.created_at)
        .cte(f"heads_{priority.value}")
    )
    first = _first_of_flow(work, heads.c).with_for_update(skip_locked=True)
    picked = first.lateral(f"picked_{priority.value}")
    return (
        sa.select(picked.c.id).select_from(heads.join(picked, sa.true())).limit(1).scalar_subquery()
    )


def _on_sqlite(work: WorkTable[Any], priority: Priority) -> sa.ScalarSelect[Any]:
    head = work.table.alias("head")
    # By the row's number: by its id, each head would be looked up a second time.
    row: sa.ColumnElement[Any] = sa.literal_column(f"{work.table.name}.rowid")
    first = _first_of_flow(work, _FLOW).with_only_columns(row).correlate(WORK_FLOWS)
    return (
        sa.select(head.c.id)
        .select_from(
            WORK_FLOWS.join(head, sa.literal_column("head.rowid") == first.scalar_subquery())
        )
        .where(*_open(work, f"served_{priority.value}"))
        .order_by(head.c.fair_tag + _FLOW.tag_offset, head.c.created_at)
        .limit(1)
        .scalar_subquery()
    )


def claim_next(work: WorkTable[Any]) -> dict[str, Statement]:
    """Return the statement of a kind by the name of the dialect."""
    return {
        "postgresql": _claim(work, _on_postgresql),
        "sqlite": _claim(work, _on_sqlite),
    }


def _claim(
    work: WorkTable[Any],
    first_of: Callable[[WorkTable[Any], Priority], sa.ScalarSelect[Any]],
) -> Statement:
    queued = work.life.source(WorkEvent.CLAIM)
    # Flows of a priority are looked at only where none more urgent yields an item.
    chosen = sa.func.coalesce(*(first_of(work, priority) for priority in Priority))
    return Statement(
        sa.update(work.table)
        .where(work.table.c.id == chosen)
        .values(
            state=work.life.after(queued, WorkEvent.CLAIM).value,
            updated_at=_NOW,
            attempts=work.table.c.attempts + 1,
            lease_owner=sa.bindparam("owner"),
            lease_expires_at=database_later("lease_s"),
            not_before=None,
            started_at=_NOW,
        )
        .returning(*work.columns)
    )
