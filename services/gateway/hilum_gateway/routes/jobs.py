"""``/v1/jobs``: look at jobs, try parked ones again, discard them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from hilum.application.ports.repositories import JobFilter
from hilum.domain.job import JobState, Priority
from hilum_gateway.authentication import PrincipalOf
from hilum_gateway.cursor import decode_cursor, encode_cursor
from hilum_gateway.dependencies import ContainerOf
from hilum_gateway.request_id import current_request_id
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.schemas import JobBody, JobPageBody, JobSummaryBody

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEMS)


@router.get("", summary="List jobs")
def list_jobs(
    container: ContainerOf,
    principal: PrincipalOf,
    state: JobState | None = None,
    priority: Priority | None = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPageBody:
    """Jobs that the key sees, newest first. Send `next` back as `cursor` for the next page."""
    after = decode_cursor(cursor) if cursor else None
    which = JobFilter(sites=frozenset({site}) if site else None, state=state, priority=priority)
    page = container.read_jobs.page(which, after, limit, principal)
    return JobPageBody(
        jobs=[JobSummaryBody.of(job) for job in page.jobs],
        next=encode_cursor(page.next) if page.next else None,
    )


@router.get("/{job_id}", summary="A job and its result")
def read_job(container: ContainerOf, principal: PrincipalOf, job_id: UUID) -> JobBody:
    """A job, and once it is completed its result. Research use only, not for diagnosis."""
    return JobBody.of_view(container.read_jobs.job(job_id, principal))


@router.post("/{job_id}/retry", summary="Queue a parked job again")
def retry(container: ContainerOf, principal: PrincipalOf, job_id: UUID) -> JobSummaryBody:
    """Queue a failed job again, its attempts back at zero. Needs an operator's key."""
    return JobSummaryBody.of(container.operate_jobs.retry(job_id, principal, current_request_id()))


@router.post("/{job_id}/discard", summary="End a parked job for good")
def discard(container: ContainerOf, principal: PrincipalOf, job_id: UUID) -> JobSummaryBody:
    """End a failed job for good. Needs an operator's key."""
    return JobSummaryBody.of(
        container.operate_jobs.discard(job_id, principal, current_request_id())
    )
