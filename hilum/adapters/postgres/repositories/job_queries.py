"""The statements that look for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.work_table import JOB_WORK
from hilum.adapters.postgres.tables import INSTANCES, JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hilum.application.ports.repositories import JobCursor, JobFilter

_AT_MOST = sa.bindparam("at_most", type_=sa.Integer)
BY_KEY: Final = Statement(
    sa.select(*JOB_WORK.columns).where(JOBS.c.idempotency_key == sa.bindparam("wanted_key"))
)
IDS_AT_ONCE: Final = 500
"""Ids in one query, fewer than a database allows parameters."""
WITH_IDS: Final = sa.select(*JOB_WORK.columns).where(
    JOBS.c.id.in_(sa.bindparam("wanted_ids", expanding=True))
)
# By the film alone: given a site or an order as well, SQLite would walk through the site's jobs.
OF_FILM: Final = sa.select(*JOB_WORK.columns).where(
    JOBS.c.instance_id.in_(
        sa.select(INSTANCES.c.id).where(INSTANCES.c.sop_instance_uid == sa.bindparam("wanted_uid"))
    )
)
_COUNTS: Final = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)


def page(which: JobFilter, after: JobCursor | None, limit: int) -> sa.Select[Any]:
    """Jobs newest first, strictly after the cursor."""
    query = sa.select(*JOB_WORK.columns).where(*_those(which))
    if after is not None:
        here = sa.tuple_(
            sa.literal(after.created_at, JOBS.c.created_at.type),
            sa.literal(after.id, JOBS.c.id.type),
        )
        query = query.where(sa.tuple_(JOBS.c.created_at, JOBS.c.id) < here)
    return query.order_by(JOBS.c.created_at.desc(), JOBS.c.id.desc()).limit(limit)


def count(which: JobFilter) -> sa.Select[int]:
    """Number of jobs."""
    return sa.select(sa.func.count()).select_from(JOBS).where(*_those(which))


def _those(which: JobFilter) -> Iterator[sa.ColumnElement[bool]]:
    if which.sites is not None:
        yield _at(which.sites)
    if which.state is not None:
        yield JOBS.c.state == which.state.value
    if which.priority is not None:
        yield JOBS.c.priority == which.priority.value
    if which.code is not None:
        yield JOBS.c.reason_code == which.code


def changed_since(sites: frozenset[str] | None) -> sa.Select[Any]:
    """Jobs by the time of their last change, of these sites or of all."""
    since = sa.bindparam("since", type_=JOBS.c.updated_at.type)
    query = sa.select(*JOB_WORK.columns).where(JOBS.c.updated_at >= since)
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
