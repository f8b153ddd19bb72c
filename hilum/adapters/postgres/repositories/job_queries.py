"""The statements that look for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.job_rows import JOB_COLUMNS
from hilum.adapters.postgres.tables import INSTANCES, JOBS, WORK_FLOWS
from hilum.domain.job import JobEvent, source_state

if TYPE_CHECKING:
    from hilum.application.ports.repositories import JobCursor, JobFilter

_AT_MOST = sa.bindparam("at_most", type_=sa.Integer)
_NOW = database_now()
_QUEUED: Final = source_state(JobEvent.CLAIM).value
_RUNNING: Final = source_state(JobEvent.RELEASE).value

ONE: Final = Statement(sa.select(*JOB_COLUMNS).where(JOBS.c.id == sa.bindparam("wanted_id")))
BY_KEY: Final = Statement(
    sa.select(*JOB_COLUMNS).where(JOBS.c.idempotency_key == sa.bindparam("wanted_key"))
)
# By the film alone: given a site or an order as well, SQLite would walk through the site's jobs.
OF_FILM: Final = sa.select(*JOB_COLUMNS).where(
    JOBS.c.instance_id.in_(
        sa.select(INSTANCES.c.id).where(INSTANCES.c.sop_instance_uid == sa.bindparam("wanted_uid"))
    )
)
EXPIRED: Final = (
    sa.select(*JOB_COLUMNS)
    .where(JOBS.c.state == sa.literal_column(f"'{_RUNNING}'"), JOBS.c.lease_expires_at <= _NOW)
    .order_by(JOBS.c.lease_expires_at, JOBS.c.id)
    .limit(_AT_MOST)
)
CLAIMABLE: Final = sa.select(sa.func.count()).select_from(
    sa.select(JOBS.c.id)
    .where(
        # A literal: SQLite takes a partial index only where it can see the value.
        JOBS.c.state == sa.literal_column(f"'{_QUEUED}'"),
        JOBS.c.priority == sa.bindparam("wanted_priority"),
        sa.or_(JOBS.c.not_before.is_(None), JOBS.c.not_before <= _NOW),
        JOBS.c.site.not_in(
            sa.select(WORK_FLOWS.c.flow).where(
                WORK_FLOWS.c.priority == sa.bindparam("wanted_priority"),
                WORK_FLOWS.c.paused_until.is_not(None),
            )
        ),
    )
    .limit(_AT_MOST)
    .subquery()
)
DEPTHS: Final = (
    sa.select(JOBS.c.priority, JOBS.c.state, sa.func.count(), sa.func.min(JOBS.c.created_at))
    .where(JOBS.c.state.in_([_QUEUED, _RUNNING]))
    .group_by(JOBS.c.priority, JOBS.c.state)
)
_COUNTS: Final = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)


def page(which: JobFilter, after: JobCursor | None, limit: int) -> sa.Select[Any]:
    """Jobs newest first, strictly after the cursor."""
    query = sa.select(*JOB_COLUMNS)
    if which.sites is not None:
        query = query.where(_at(which.sites))
    if which.state is not None:
        query = query.where(JOBS.c.state == which.state.value)
    if which.priority is not None:
        query = query.where(JOBS.c.priority == which.priority.value)
    if after is not None:
        here = sa.tuple_(
            sa.literal(after.created_at, JOBS.c.created_at.type),
            sa.literal(after.id, JOBS.c.id.type),
        )
        query = query.where(sa.tuple_(JOBS.c.created_at, JOBS.c.id) < here)
    return query.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(limit)


def changed_since(sites: frozenset[str] | None) -> sa.Select[Any]:
    """Jobs by the time of their last change, of these sites or of all."""
    since = sa.bindparam("since", type_=JOBS.c.updated_at.type)
    query = sa.select(*JOB_COLUMNS).where(JOBS.c.updated_at >= since)
    if sites is not None:
        query = query.where(_at(sites))
    return query.order_by(JOBS.c.updated_at, JOBS.c.id).limit(_AT_MOST)


def counts(sites: frozenset[str] | None) -> sa.Select[str, int]:
    """Number of jobs by state, of these sites or of all."""
    return _COUNTS if sites is None else _COUNTS.where(_at(sites))


def _at(sites: frozenset[str]) -> sa.ColumnElement[bool]:
    """Whether a job is of one of these sites; of one alone an index gives them in order."""
    if len(sites) == 1:
        return JOBS.c.site == next(iter(sites))
    return JOBS.c.site.in_(sorted(sites))
