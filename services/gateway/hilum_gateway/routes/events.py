"""``GET /v1/events``: job changes as they happen."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse

from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.routes.event_stream import event_stream

router = APIRouter(prefix="/v1/events", tags=["events"], responses=PROBLEMS)


@router.get("", summary="Job changes, live", response_class=EventSourceResponse)
async def events(
    request: Request,
    principal: PrincipalOf,
    job_id: Annotated[UUID | None, Query(description="Only this job.")] = None,
) -> EventSourceResponse:
    """Server-sent events: `job` with the job as in the list, `reload` when too much changed.

    Resumes after `Last-Event-ID`. Delivery is at least once; of several changes within half a
    second the last is told.
    """
    return await event_stream(request, principal, job_id)
