"""``/v1/jobs``: look at jobs and operate on one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from hilum.application.ports.repositories import JobFilter
from hilum.domain.job import JobState, Priority
from hilum.domain.principal import Permission
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.cursor import decode_cursor, encode_cursor
from hilum_gateway.http.json_body import json_body
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.routes.descriptions import PROBLEMS, json_request
from hilum_gateway.schemas.jobs import JobBody, JobPageBody, JobSummaryBody
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEMS)


class CancelBody(BaseModel):
    """Why a queued job is ended."""

    reason: str = Field(min_length=1, max_length=500)


class PriorityBody(BaseModel):
    """Another priority of a queued job."""

    priority: Priority


async def _cancel(request: Request, principal: PrincipalOf) -> CancelBody:
    """The reason; read only for somebody who may operate."""
    principal.require(Permission.OPERATE_QUEUE)
    return await json_body(request, CancelBody)


async def _priority(request: Request, principal: PrincipalOf) -> PriorityBody:
    """The priority; read only for somebody who may operate."""
    principal.require(Permission.OPERATE_QUEUE)
    return await json_body(request, PriorityBody)


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


@router.post(
    "/{job_id}/cancel", summary="End a queued job for good", openapi_extra=json_request(CancelBody)
)
def cancel(
    container: ContainerOf,
    principal: PrincipalOf,
    job_id: UUID,
    wanted: Annotated[CancelBody, Depends(_cancel)],
) -> JobSummaryBody:
    """End a queued job for good. Its reason has the code `cancelled`. Needs an operator's key."""
    act = container.operate_jobs.cancel
    return JobSummaryBody.of(act(job_id, wanted.reason, principal, current_request_id()))


@router.post("/{job_id}/expedite", summary="End the backoff of a queued job")
def expedite(container: ContainerOf, principal: PrincipalOf, job_id: UUID) -> JobSummaryBody:
    """Let a queued job run without waiting for the end of its backoff. Needs an operator's key."""
    return JobSummaryBody.of(
        container.operate_jobs.expedite(job_id, principal, current_request_id())
    )


@router.post(
    "/{job_id}/reprioritise",
    summary="Give a queued job another priority",
    openapi_extra=json_request(PriorityBody),
)
def reprioritise(
    container: ContainerOf,
    principal: PrincipalOf,
    job_id: UUID,
    wanted: Annotated[PriorityBody, Depends(_priority)],
) -> JobSummaryBody:
    """Give a queued job another priority. Needs an operator's key."""
    act = container.operate_jobs.reprioritise
    return JobSummaryBody.of(act(job_id, wanted.priority, principal, current_request_id()))
