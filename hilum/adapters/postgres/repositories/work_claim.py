"""The statement that claims the next item of a kind: one row is locked, whatever waits.

Of each flow of a priority the first claimable item is looked up in the partial index of the claim.
These heads are put in order: by fair tag, then by age. The first flow that yields an unlocked row
gives the item. A flow whose rows are all locked by other claims is passed over.

On PostgreSQL the lock is taken inside a LATERAL with ``LIMIT 1`` under an outer ``LIMIT 1``. A
plain ``WHERE id = (SELECT ... LIMIT 1)`` would return nothing where another claim holds that row.
SQLite has one writer at a time, so that the first head is always free.
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


def claimable(work: WorkTable[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of an item that may be claimed now, its flow aside."""
    table = work.table
    return (
        # A literal: SQLite takes a partial index only where it can see the value.
        table.c.state == sa.literal_column(f"'{work.life.source(WorkEvent.CLAIM).value}'"),
        sa.or_(table.c.not_before.is_(None), table.c.not_before <= _NOW),
    )


def _first_of_flow(work: WorkTable[Any], flow: Any) -> sa.Select[Any]:
    """Return the query for the first claimable item of a flow."""
    table = work.table
    queued, ready = claimable(work)
    of_flow = (table.c.priority == flow.priority, table.c[work.flow] == flow.flow)
    return (
        sa.select(table.c.id, table.c.fair_tag, table.c.created_at)
        .where(queued, *of_flow, ready)
        .order_by(table.c.fair_tag, table.c.created_at, table.c.id)
        .limit(1)
    )


def _open(work: WorkTable[Any], priority: Priority) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a flow from which an item may be claimed."""
    served = sa.bindparam(f"served_{priority.value}", type_=sa.Text)
    return _FLOW.kind == work.life.kind, _FLOW.paused_until.is_(None), _FLOW.priority == served


def _on_postgresql(work: WorkTable[Any], priority: Priority) -> sa.ScalarSelect[Any]:
    head = _first_of_flow(work, _FLOW).lateral(f"head_{priority.value}")
    heads = (
        sa.select(_FLOW.priority, _FLOW.flow)
        .select_from(WORK_FLOWS.join(head, sa.true()))
        .where(*_open(work, priority))
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
        .where(*_open(work, priority))
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
