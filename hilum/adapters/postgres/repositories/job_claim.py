"""The statement that claims the next job: one row is locked, whatever waits.

Of each flow of a priority the first claimable job is looked up in ``ix_jobs_claim``. These heads
are put in order: by fair tag, then by age. The first flow that yields an unlocked row gives
the job. A flow whose rows are all locked by other claims is passed over.

On PostgreSQL the lock is taken inside a LATERAL with ``LIMIT 1`` under an outer ``LIMIT 1``. A
plain ``WHERE id = (SELECT ... LIMIT 1)`` would return nothing where another claim holds that row.
SQLite has one writer at a time, so that the first head is always free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.job_rows import JOB_COLUMNS
from hilum.adapters.postgres.tables import JOBS, WORK_FLOWS
from hilum.domain.job import JobEvent, Priority, next_state, source_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUEUED: Final = source_state(JobEvent.CLAIM)
PRIORITIES: Final = tuple(Priority)
"""In order of urgency."""

_NOW = database_now()
_FLOW = WORK_FLOWS.c


def _first_of_flow(flow: Any) -> sa.Select[Any]:
    """Return the query for the first claimable job of a flow."""
    return (
        sa.select(JOBS.c.id, JOBS.c.fair_tag, JOBS.c.created_at)
        .where(
            # A literal: SQLite takes a partial index only where it can see the value.
            JOBS.c.state == sa.literal_column(f"'{QUEUED.value}'"),
            JOBS.c.priority == flow.priority,
            JOBS.c.site == flow.flow,
            sa.or_(JOBS.c.not_before.is_(None), JOBS.c.not_before <= _NOW),
        )
        .order_by(JOBS.c.fair_tag, JOBS.c.created_at, JOBS.c.id)
        .limit(1)
    )


def _open(priority: Priority) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a flow from which a job may be claimed."""
    served = sa.bindparam(f"served_{priority.value}", type_=sa.Text)
    return _FLOW.kind == "analysis", _FLOW.paused_until.is_(None), _FLOW.priority == served


def _on_postgresql(priority: Priority) -> sa.ScalarSelect[Any]:
    head = _first_of_flow(_FLOW).lateral(f"head_{priority.value}")
    heads = (
        sa.select(_FLOW.priority, _FLOW.flow)
        .select_from(WORK_FLOWS.join(head, sa.true()))
        .where(*_open(priority))
        .order_by(head.c.fair_tag + _FLOW.tag_offset, head.c.created_at)
        .cte(f"heads_{priority.value}")
    )
    first = _first_of_flow(heads.c).with_for_update(skip_locked=True)
    picked = first.lateral(f"picked_{priority.value}")
    return (
        sa.select(picked.c.id).select_from(heads.join(picked, sa.true())).limit(1).scalar_subquery()
    )


def _on_sqlite(priority: Priority) -> sa.ScalarSelect[Any]:
    head = JOBS.alias("head")
    # By the row's number: by its id, each head would be looked up a second time.
    row: sa.ColumnElement[int] = sa.literal_column("jobs.rowid")
    first = _first_of_flow(_FLOW).with_only_columns(row).correlate(WORK_FLOWS).scalar_subquery()
    return (
        sa.select(head.c.id)
        .select_from(WORK_FLOWS.join(head, sa.literal_column("head.rowid") == first))
        .where(*_open(priority))
        .order_by(head.c.fair_tag + _FLOW.tag_offset, head.c.created_at)
        .limit(1)
        .scalar_subquery()
    )


def _claim(first_of: Callable[[Priority], sa.ScalarSelect[Any]]) -> Statement:
    # Flows of a priority are looked at only where none more urgent yields a job.
    chosen = sa.func.coalesce(*map(first_of, PRIORITIES))
    return Statement(
        sa.update(JOBS)
        .where(JOBS.c.id == chosen)
        .values(
            state=next_state(QUEUED, JobEvent.CLAIM).value,
            updated_at=_NOW,
            attempts=JOBS.c.attempts + 1,
            lease_owner=sa.bindparam("owner"),
            lease_expires_at=database_later("lease_s"),
            not_before=None,
            started_at=_NOW,
        )
        .returning(*JOB_COLUMNS)
    )


CLAIM_NEXT: Final[Mapping[str, Statement]] = {
    "postgresql": _claim(_on_postgresql),
    "sqlite": _claim(_on_sqlite),
}
"""By the name of the dialect."""
