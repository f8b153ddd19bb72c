"""Pictures of a job: heatmaps, outlines, the preview, and the film as it came.

What belongs to a completed job never changes, so these answers carry an entity tag and may be kept
by the browser that asked (and by nobody between: ``private``). The key is checked all the same
before a 304.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from hilum.domain.job import JobState
from hilum.domain.principal import Principal
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.filenames import attachment
from hilum_gateway.pictures.heatmap_picture import DEFAULT_OPACITY, heatmap_picture, preview_png
from hilum_gateway.pictures.outline_picture import MEDIA_TYPE as SVG
from hilum_gateway.pictures.outline_picture import outline_picture
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.wiring.container import Container
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["images"], responses=PROBLEMS)

_KEPT: Final = "private, max-age=86400, immutable"
_PNG: Final = "image/png"
_A_PNG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_PNG: {}}, "description": "A PNG file."}
}
_AN_SVG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {SVG: {}}, "description": "An SVG file; its coordinates are film pixels."}
}
_A_FILM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The film."}
}

IfNoneMatch = Annotated[str | None, Header()]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


@router.get(
    "/heatmaps/{panel}/{label}.png",
    summary="The heatmap of a finding over the film",
    response_class=Response,
    responses=_A_PNG,
)
def heatmap(  # noqa: PLR0913 - one parameter a request parameter
    *,
    container: ContainerOf,
    principal: PrincipalOf,
    job_id: UUID,
    panel: Name,
    label: Name,
    layer: Annotated[bool, Query(description="The heatmap alone, transparent.")] = False,
    opacity: Annotated[float, Query(ge=0, le=1)] = DEFAULT_OPACITY,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Where the model looked for a label. Research use only, not for diagnosis."""
    kind = "layer" if layer else "overlay"
    headers = _kept(job_id, f"{panel}-{label}-{kind}-{opacity:g}")
    if _is_held(headers, if_none_match) and _is_completed(container, principal, job_id):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    preview, found = container.show_film.heatmap(job_id, panel, label, principal)
    picture = heatmap_picture(preview, found, opacity=opacity, layer_only=layer)
    return Response(picture, media_type=_PNG, headers=headers)


@router.get(
    "/outlines/{panel}.svg",
    summary="The outlines of the lungs and the heart",
    response_class=Response,
    responses=_AN_SVG,
)
def outlines(
    container: ContainerOf,
    principal: PrincipalOf,
    job_id: UUID,
    panel: Name,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What a model outlined, to be laid over the preview. Research use only."""
    headers = _kept(job_id, f"outlines-{panel}")
    if _is_held(headers, if_none_match) and _is_completed(container, principal, job_id):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    reading, analysis = container.show_film.structures(job_id, panel, principal)
    picture = outline_picture(reading, analysis)
    return Response(picture, media_type=SVG, headers=headers)


@router.get("/preview.png", summary="The film, small", response_class=Response, responses=_A_PNG)
def preview(
    container: ContainerOf, principal: PrincipalOf, job_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """The film as 8-bit grey PNG, at most 1024 pixels on its long side."""
    headers = _kept(job_id, "preview")
    if _is_held(headers, if_none_match) and _is_completed(container, principal, job_id):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    picture = preview_png(container.show_film.preview(job_id, principal))
    return Response(picture, media_type=_PNG, headers=headers)


@router.get(
    "/original",
    summary="The film as it came",
    response_class=StreamingResponse,
    responses=_A_FILM,
)
def original(container: ContainerOf, principal: PrincipalOf, job_id: UUID) -> StreamingResponse:
    """The uploaded file, byte for byte."""
    instance, chunks = container.read_jobs.original(job_id, principal)
    headers = {
        "Content-Length": str(instance.size_bytes),
        "Content-Disposition": attachment(instance.filename),
        # Sent by a stranger: a browser may save it, never run it on this origin.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{instance.sha256}"',
    }
    return StreamingResponse(chunks, media_type=instance.media_type, headers=headers)


def _is_completed(container: Container, principal: Principal, job_id: UUID) -> bool:
    """Whether the job has pictures; raises NotFound for a key that does not see it."""
    job = container.read_jobs.job(job_id, principal).job
    return job.state is JobState.COMPLETED and job.film_expired_at is None


def _kept(job_id: UUID, what: str) -> dict[str, str]:
    return {"Cache-Control": _KEPT, "ETag": f'"{job_id}-{what}"'}


def _is_held(headers: dict[str, str], if_none_match: str | None) -> bool:
    """Whether the client has this very picture: weak comparison (RFC 9110 section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    return headers["ETag"] in tags
