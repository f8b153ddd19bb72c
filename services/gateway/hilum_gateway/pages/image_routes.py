"""Pictures for the page of an image: its preview and the layers that are laid over it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from hilum_gateway.http.filenames import attachment
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import Parts, SignedIn
from hilum_gateway.pages.rendering import NOT_STORED
from hilum_gateway.pictures.heatmap_picture import preview_png, tinted_layer
from hilum_gateway.pictures.outline_picture import MEDIA_TYPE as SVG
from hilum_gateway.pictures.outline_picture import outline_picture
from hilum_gateway.pictures.overlay_colours import FINDING_COLOURS, rgb

router = APIRouter(prefix="/films/{job_id}", route_class=PageRoute, include_in_schema=False)

_PNG = "image/png"

ColourNumber = Annotated[int, Query(ge=0, lt=len(FINDING_COLOURS))]


@router.get("/preview.png")
def preview(job_id: UUID, principal: SignedIn, parts: Parts) -> Response:
    """Return the preview, 8-bit grey."""
    png = preview_png(parts.container.show_film.preview(job_id, principal))
    return Response(png, media_type=_PNG, headers=NOT_STORED)


@router.get("/heatmaps/{panel}/{label}.png")
def heatmap_layer(
    job_id: UUID,
    panel: str,
    label: str,
    principal: SignedIn,
    parts: Parts,
    colour: ColourNumber = 0,
) -> Response:
    """Draw a heatmap as large as the preview, in the finding's colour, transparent elsewhere.

    At its strongest point it is opaque: the page sets how far it covers the image.
    """
    stored, heatmap = parts.container.show_film.heatmap(job_id, panel, label, principal)
    picture = tinted_layer(stored, heatmap, rgb(colour))
    return Response(picture, media_type=_PNG, headers=NOT_STORED)


@router.get("/outlines/{panel}.svg")
def outlines(job_id: UUID, panel: str, principal: SignedIn, parts: Parts) -> Response:
    """Draw the outlines of structures as large as the image, without their names."""
    reading, analysis = parts.container.show_film.structures(job_id, panel, principal)
    picture = outline_picture(reading, analysis, names=False)
    return Response(picture, media_type=SVG, headers=NOT_STORED)


@router.get("/original")
def original(job_id: UUID, principal: SignedIn, parts: Parts) -> Response:
    """Return the image as it was received, to be saved."""
    instance, chunks = parts.container.read_jobs.original(job_id, principal)
    return StreamingResponse(
        chunks,
        media_type=instance.media_type,
        headers={
            **NOT_STORED,
            "Content-Disposition": attachment(instance.filename),
            "Content-Length": str(instance.size_bytes),
            # Sent by a stranger: a browser may save it, never run it on this origin.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
