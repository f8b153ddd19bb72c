"""A job as a row, and a row as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hilum.adapters.postgres.tables import JOBS
from hilum.domain.job import Job, JobState, Priority, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

JOB_COLUMNS: Final = (
    JOBS.c.id,
    JOBS.c.study_id,
    JOBS.c.instance_id,
    JOBS.c.site,
    JOBS.c.filename,
    JOBS.c.state,
    JOBS.c.priority,
    JOBS.c.model_set,
    JOBS.c.idempotency_key,
    JOBS.c.created_at,
    JOBS.c.updated_at,
    JOBS.c.attempts,
    JOBS.c.losses,
    JOBS.c.reason_code,
    JOBS.c.reason_detail,
    JOBS.c.timings_ms,
    JOBS.c.lease_owner,
    JOBS.c.lease_expires_at,
    JOBS.c.not_before,
    JOBS.c.rung_at,
    JOBS.c.started_at,
    JOBS.c.finished_at,
    JOBS.c.film_expired_at,
    JOBS.c.fair_tag,
    JOBS.c.traceparent,
    JOBS.c.notes,
)
"""In the order in which :func:`job_of` takes them."""

_STATE, _PRIORITY, _REASON_CODE, _REASON_DETAIL = 5, 6, 13, 14


def job_of(row: Sequence[Any]) -> Job:
    """The job that a row of :data:`JOB_COLUMNS` holds."""
    code = row[_REASON_CODE]
    values: tuple[Any, ...] = (
        *row[:_STATE],
        JobState(row[_STATE]),
        Priority(row[_PRIORITY]),
        *row[_PRIORITY + 1 : _REASON_CODE],
        None if code is None else Reason(code, row[_REASON_DETAIL]),
        *row[_REASON_DETAIL + 1 : -1],
        tuple(row[-1] or ()),
    )
    return Job(*values)


def row_of(job: Job) -> dict[str, object]:
    """The row of a job, by column name."""
    return {
        "id": job.id,
        "study_id": job.study_id,
        "instance_id": job.instance_id,
        "site": job.site,
        "filename": job.filename,
        "state": job.state.value,
        "priority": job.priority.value,
        "model_set": job.model_set,
        "idempotency_key": job.idempotency_key,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "attempts": job.attempts,
        "losses": job.losses,
        "reason_code": job.reason.code if job.reason else None,
        "reason_detail": job.reason.detail if job.reason else None,
        "timings_ms": dict(job.timings_ms),
        "lease_owner": job.lease_owner,
        "lease_expires_at": job.lease_expires_at,
        "not_before": job.not_before,
        "rung_at": job.rung_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "film_expired_at": job.film_expired_at,
        "film_sent_again_at": None,
        "fair_tag": job.fair_tag,
        "traceparent": job.traceparent,
        "notes": list(job.notes) or None,
    }
