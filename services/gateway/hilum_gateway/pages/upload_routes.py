"""The upload form's other end."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from hilum.application.intake.submission import SubmissionAnswer
from hilum.domain.submission import Source
from hilum_gateway.intake.upload import submit_from_request
from hilum_gateway.pages.page_route import PageRoute, is_fragment
from hilum_gateway.pages.parts import OwnForm, Parts, SignedIn
from hilum_gateway.pages.rendering import render
from hilum_gateway.wiring.dependencies import MetricsOf

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/films", dependencies=[OwnForm])
async def send_films(
    request: Request, principal: SignedIn, parts: Parts, metrics: MetricsOf
) -> Response:
    """Accept images as ``POST /v1/submissions`` does, and say of each what became of it."""
    submitted = await submit_from_request(request, parts.container, principal, Source.PAGE)
    metrics.observe_submission(submitted)
    response = render(
        "fragments/submitted.html" if is_fragment(request) else "submitted.html",
        status=200 if submitted.accepted else 422,
        principal=principal,
        heading=_heading(submitted),
        files=submitted.files,
    )
    response.headers["HX-Trigger"] = "submitted"
    return response


def _heading(submitted: SubmissionAnswer) -> str:
    taken, sent = len(submitted.accepted), len(submitted.files)
    images = "image" if sent == 1 else "images"
    if taken == sent:
        return "The image was accepted" if sent == 1 else f"All {sent} images were accepted"
    return f"{taken} of {sent} {images} accepted" if taken else f"No image of {sent} was accepted"
