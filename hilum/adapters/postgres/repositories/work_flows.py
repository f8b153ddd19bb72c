"""Flows of work, and the tags that they give to queued jobs."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.insertion import insert_absent
from hilum.adapters.postgres.repositories.job_rows import JOB_COLUMNS, job_of
from hilum.adapters.postgres.tables import JOBS, WORK_FLOWS
from hilum.domain.job import Job, JobEvent, Priority, source_state
from hilum.domain.work_flow import WorkFlow, virtual_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from sqlalchemy.engine import Connection

ANALYSIS: Final = "analysis"
NO_TAG: Final = 0.0

# Literals: SQLite takes a partial index only where it can see the value.
_QUEUED: Final = JOBS.c.state == sa.literal_column(f"'{source_state(JobEvent.CLAIM).value}'")
_FLOW: Final = WORK_FLOWS.c
_ONE: Final = (
    _FLOW.kind == ANALYSIS,
    _FLOW.priority == sa.bindparam("of_priority", type_=sa.Text),
    _FLOW.flow == sa.bindparam("of_site", type_=sa.Text),
)
_LOCKED: Final = Statement(sa.select(*WORK_FLOWS.c).where(*_ONE).with_for_update())
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
_OVER: Final = (
    sa.select(_FLOW.priority, _FLOW.flow)
    .where(_FLOW.kind == ANALYSIS, _FLOW.paused_until <= database_now())
    .order_by(_FLOW.priority, _FLOW.flow)
)
_TAGGED: Final = Statement(
    sa.update(JOBS)
    .where(JOBS.c.id == sa.bindparam("wanted_id"))
    .values(fair_tag=sa.bindparam("tag", type_=sa.Double))
    .returning(JOBS.c.id)
)
# The first job of a flow that was never tried: one step into the index, whatever waits behind it.
_FIRST: Final = (
    sa.select(JOBS.c.fair_tag)
    .where(
        _QUEUED,
        JOBS.c.priority == _FLOW.priority,
        JOBS.c.site == _FLOW.flow,
        JOBS.c.fair_tag > NO_TAG,
        JOBS.c.attempts == 0,
    )
    .order_by(JOBS.c.fair_tag, JOBS.c.created_at, JOBS.c.id)
    .limit(1)
    .scalar_subquery()
)
_PROGRESS: Final = Statement(
    sa.select(_FLOW.last_tag, _FLOW.tag_offset, _FLOW.paused_until, _FIRST.label("first")).where(
        _FLOW.kind == ANALYSIS, _FLOW.priority == sa.bindparam("of_priority", type_=sa.Text)
    )
)
_FIRST_OF: Final = Statement(
    sa.select(sa.func.min(JOBS.c.fair_tag)).where(
        _QUEUED,
        JOBS.c.priority == sa.bindparam("of_priority", type_=sa.Text),
        JOBS.c.site == sa.bindparam("of_site", type_=sa.Text),
    )
)
_UNTAGGED: Final = (
    sa.select(*JOB_COLUMNS)
    .where(_QUEUED, JOBS.c.fair_tag == NO_TAG)
    .order_by(JOBS.c.priority, JOBS.c.site, JOBS.c.created_at, JOBS.c.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)


class SqlWorkFlowRepository:
    """See :class:`hilum.application.ports.work_flows.WorkFlowRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tagged(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return jobs with their tags, given in this order."""
        with_tags = []
        # Before any flow moves on: what is queued together gains nothing on one another.
        priorities = {job.priority.value for job in jobs}
        now = {priority: self._virtual_time(priority) for priority in priorities}
        # Flows are locked in one order, so that two submissions cannot lock each other out.
        ordered = sorted(jobs, key=_flow_of)
        for (priority, site), members in groupby(ordered, key=_flow_of):
            own = list(members)
            flow = self._locked(priority, site)
            tags, after = flow.enqueue(len(own), now[priority])
            self._keep(after)
            with_tags += [replace(job, fair_tag=tag) for job, tag in zip(own, tags, strict=True)]
        return with_tags

    def adopt(self, limit: int) -> int:
        """Give tags to queued jobs that have none."""
        found = [job_of(row) for row in self._connection.execute(_UNTAGGED, {"at_most": limit})]
        for job in self.tagged(found):
            _TAGGED.first(self._connection, {"wanted_id": job.id, "tag": job.fair_tag})
        return len(found)

    def all(self) -> Sequence[WorkFlow]:
        """Every flow."""
        query = sa.select(*WORK_FLOWS.c).order_by(_FLOW.priority, _FLOW.flow)
        return [_flow(row) for row in self._connection.execute(query)]

    def pause(self, priority: Priority, site: str, length: timedelta, reason: str) -> None:
        """Let no job of a site be claimed for a while."""
        flow = self._locked(priority.value, site)
        values = {"length_s": length.total_seconds(), "because": reason}
        _PAUSED.first(self._connection, {**_of(flow), **values})

    def resume(self, priority: Priority, site: str) -> bool:
        """End a pause."""
        flow = self._locked(priority.value, site)
        if flow.paused_until is None:
            return False
        row = _FIRST_OF.first(self._connection, {"of_priority": priority.value, "of_site": site})
        first = row[0] if row else None
        self._keep(flow.resume(first, self._virtual_time(priority.value)))
        return True

    def end_pauses(self) -> int:
        """Resume the flows whose pause is over."""
        over = self._connection.execute(_OVER).all()
        return sum(self.resume(Priority(priority), site) for priority, site in over)

    def _locked(self, priority: str, site: str) -> WorkFlow:
        wanted = {"of_priority": priority, "of_site": site}
        fresh = WorkFlow(ANALYSIS, Priority(priority), site)
        row = _LOCKED.first(self._connection, wanted)
        if row is None:
            insert_absent(self._connection, _FLOW.flow, [{**_fields(fresh), "priority": priority}])
            row = _LOCKED.first(self._connection, wanted)
        return fresh if row is None else _flow(row)

    def _keep(self, flow: WorkFlow) -> None:
        values = {f"new_{name}": value for name, value in _fields(flow).items()}
        _KEPT.first(self._connection, {**values, **_of(flow)})

    def _virtual_time(self, priority: str) -> float:
        rows = _PROGRESS.all(self._connection, {"of_priority": priority})
        return virtual_time(
            [first + offset for _, offset, paused, first in rows if first and paused is None],
            [last + offset for last, offset, *_ in rows],
        )


def _flow_of(job: Job) -> tuple[str, str]:
    return job.priority.value, job.site


def _flow(row: Sequence[Any]) -> WorkFlow:
    kind, priority, *rest = row
    return WorkFlow(kind, Priority(priority), *rest)


def _of(flow: WorkFlow) -> dict[str, str]:
    return {"of_priority": flow.priority.value, "of_site": flow.flow}


def _fields(flow: WorkFlow) -> dict[str, Any]:
    return asdict(flow)
