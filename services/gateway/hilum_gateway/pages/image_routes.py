"""Pictures for the page of a film: the film itself and the layers that are laid over it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from hilum_gateway.filenames import attachment
from hilum_gateway.heatmap_picture import heatmap_picture, preview_png
from hilum_gateway.outline_picture import MEDIA_TYPE as SVG
from hilum_gateway.outline_picture import outline_picture
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import Parts, SignedIn
from hilum_gateway.pages.rendering import NOT_STORED

router = APIRouter(prefix="/films/{job_id}", route_class=PageRoute, include_in_schema=False)

_PNG = "image/png"


@router.get("/preview.png")
def preview(job_id: UUID, key: SignedIn, parts: Parts) -> Response:
    """The film, 8-bit grey."""
    png = preview_png(parts.container.show_film.preview(job_id, key))
    return Response(png, media_type=_PNG, headers=NOT_STORED)


@router.get("/heatmaps/{panel}/{label}.png")
def heatmap_layer(job_id: UUID, panel: str, label: str, key: SignedIn, parts: Parts) -> Response:
    """A heatmap as large as the preview, transparent where there is no evidence.

    At its strongest point it is opaque: the page sets how far it covers the film.
    """
    stored, heatmap = parts.container.show_film.heatmap(job_id, panel, label, key)
    picture = heatmap_picture(stored, heatmap, opacity=1.0, layer_only=True)
    return Response(picture, media_type=_PNG, headers=NOT_STORED)


@router.get("/outlines/{panel}.svg")
def outlines(job_id: UUID, panel: str, key: SignedIn, parts: Parts) -> Response:
    """The outlines of structures as large as the film, transparent but for the lines."""
    reading, rows, columns = parts.container.show_film.structures(job_id, panel, key)
    picture = outline_picture(reading, rows, columns)
    return Response(picture, media_type=SVG, headers=NOT_STORED)


@router.get("/original")
def original(job_id: UUID, key: SignedIn, parts: Parts) -> Response:
    """The film as it came, to be saved."""
    instance, chunks = parts.container.read_jobs.original(job_id, key)
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
