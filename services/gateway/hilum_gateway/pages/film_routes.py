"""One image: its page, and what an operator does with its job when it is dead-lettered."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.pages.film_view import film_context
from hilum_gateway.pages.overlay_view import Layers
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import OwnForm, Parts, SignedIn, permitted
from hilum_gateway.pages.rendering import NOT_STORED, render

router = APIRouter(prefix="/films/{job_id}", route_class=PageRoute, include_in_schema=False)


@router.get("")
def film_page(
    job_id: UUID,
    principal: SignedIn,
    parts: Parts,
    heatmap: Annotated[str, Query()] = "",
    boxes: Annotated[str, Query()] = "",
    outlines: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Show the image with its impression and findings, or how far its job has got."""
    view = parts.container.read_jobs.job(job_id, principal)
    layers = Layers(heatmap, bool(boxes), frozenset(outlines))
    return render(
        "film.html", principal=principal, **film_context(view, layers), **permitted(principal)
    )


@router.post("/retry", dependencies=[OwnForm])
def retry(job_id: UUID, principal: SignedIn, parts: Parts) -> Response:
    """Queue a parked job again."""
    parts.container.operate_jobs.retry(job_id, principal, current_request_id())
    return RedirectResponse(f"/films/{job_id}", 303, NOT_STORED)


@router.post("/discard", dependencies=[OwnForm])
def discard(job_id: UUID, principal: SignedIn, parts: Parts) -> Response:
    """End a parked job for good."""
    parts.container.operate_jobs.discard(job_id, principal, current_request_id())
    return RedirectResponse(f"/films/{job_id}", 303, NOT_STORED)
