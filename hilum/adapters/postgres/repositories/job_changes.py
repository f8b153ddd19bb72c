"""The statements that move a job from state to state, each conditional on where it stands.

The states come from :data:`hilum.domain.job.TRANSITIONS`: the database decides whether the event
may happen, by the state in the WHERE, and so at most one of two askers gets a row back.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from hilum.adapters.postgres.database_clock import database_later, database_now
from hilum.adapters.postgres.execution import Statement
from hilum.adapters.postgres.repositories.job_rows import JOB_COLUMNS
from hilum.adapters.postgres.tables import JOBS
from hilum.domain.job import JobEvent, next_state, source_state

_NOW = database_now()
_REASON: Final = {
    "reason_code": sa.bindparam("because", type_=sa.Text),
    "reason_detail": sa.bindparam("because_detail", type_=sa.Text),
}
_NO_REASON: Final = {"reason_code": None, "reason_detail": None}
_NO_LEASE: Final = {"lease_owner": None, "lease_expires_at": None}
_FRESH: Final = {"attempts": 0, "losses": 0, "rung_at": None, "not_before": None}


# A claim is known by its owner and its time: a heartbeat moves the lease and not these.
_SAME_CLAIM: Final = (
    JOBS.c.lease_owner == sa.bindparam("owner"),
    JOBS.c.started_at == sa.bindparam("claimed_at", type_=JOBS.c.started_at.type),
)


def _change(event: JobEvent, *conditions: sa.ColumnElement[bool], **values: Any) -> Statement:
    """An UPDATE of one job to which the event may happen, giving back the job."""
    return Statement(
        sa.update(JOBS)
        .where(
            JOBS.c.id == sa.bindparam("wanted_id"),
            JOBS.c.state == source_state(event).value,
            *conditions,
        )
        .values(state=next_state(source_state(event), event).value, updated_at=_NOW, **values)
        .returning(*JOB_COLUMNS)
    )


def _finish(event: JobEvent) -> dict[bool, Statement]:
    """By whether timings are given: the end of a run by the worker that holds the lease."""
    values: dict[str, Any] = {
        **_NO_LEASE,
        **(_NO_REASON if event is JobEvent.COMPLETE else _REASON),
        "finished_at": _NOW,
        "notes": sa.bindparam("notes", type_=JOBS.c.notes.type),
    }
    timings = sa.bindparam("timings", type_=JOBS.c.timings_ms.type)
    return {
        False: _change(event, *_SAME_CLAIM, **values),
        True: _change(event, *_SAME_CLAIM, timings_ms=timings, **values),
    }


# What counts a worker as lost must not race its heartbeat.
_EXPIRED: Final = (*_SAME_CLAIM, JOBS.c.lease_expires_at <= _NOW)
_RELEASED: Final[dict[str, Any]] = {
    **_NO_LEASE,
    **_REASON,
    "rung_at": None,
    "not_before": database_later("backoff_s"),
}
_PARKED: Final[dict[str, Any]] = {**_NO_LEASE, **_REASON, "finished_at": _NOW}
_ONE_MORE_LOSS: Final = JOBS.c.losses + 1

FINISH: Final = {
    event: _finish(event) for event in (JobEvent.COMPLETE, JobEvent.REJECT, JobEvent.PARK)
}
RELEASE: Final = {
    False: _change(JobEvent.RELEASE, *_SAME_CLAIM, **_RELEASED),
    True: _change(JobEvent.RELEASE, *_EXPIRED, **_RELEASED, losses=_ONE_MORE_LOSS),
}
"""By whether the worker was lost."""

OUTAGE: Final = _change(
    JobEvent.RELEASE,
    *_SAME_CLAIM,
    **{**_RELEASED, "not_before": None},
    attempts=JOBS.c.attempts - 1,
)

PARK: Final = {
    False: _change(JobEvent.PARK, *_SAME_CLAIM, **_PARKED),
    True: _change(JobEvent.PARK, *_EXPIRED, **_PARKED, losses=_ONE_MORE_LOSS),
}
"""By whether the worker was lost."""

RETRY: Final = _change(JobEvent.RETRY, **_FRESH, **_NO_REASON, finished_at=None)
# A discarded job gives up its key: the image is new when it is sent again.
_NO_KEY: Final = "ended " + sa.cast(JOBS.c.id, sa.Text)
DISCARD: Final = _change(JobEvent.DISCARD, idempotency_key=_NO_KEY)
GIVE_UP_KEY: Final = Statement(
    sa.update(JOBS)
    .where(JOBS.c.id == sa.bindparam("wanted_id"))
    .values(idempotency_key=_NO_KEY)
    .returning(*JOB_COLUMNS)
)

EXTEND: Final = (
    sa.update(JOBS)
    .where(
        JOBS.c.id.in_(sa.bindparam("wanted_ids", expanding=True)),
        JOBS.c.state == source_state(JobEvent.RELEASE).value,
        JOBS.c.lease_owner == sa.bindparam("owner"),
    )
    .values(lease_expires_at=database_later("lease_s"))
)
