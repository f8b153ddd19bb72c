"""``/v1/submissions``: images come in. ``POST /v1/studies`` is the same under its first name."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from hilum.application.intake.submission import RefusedFile, SubmissionAnswer
from hilum.domain.job import Priority
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.problems import problem_of
from hilum_gateway.intake.submission_form import FILES
from hilum_gateway.intake.upload import submit_from_request
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.schemas.submissions import (
    SubmissionBody,
    SubmissionRecordBody,
    SubmittedFileBody,
)
from hilum_gateway.wiring.dependencies import ContainerOf, MetricsOf

router = APIRouter(prefix="/v1", tags=["submissions"], responses=PROBLEMS)

CLIENT_CLOSED_REQUEST: Final = 499
"""For the log alone: nobody is there to read the answer."""

_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILES],
                    "properties": {
                        FILES: {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "string",
                                "contentMediaType": "application/octet-stream",
                            },
                            "description": "DICOM, PNG or JPEG films, one part each.",
                        },
                        "priority": {
                            "type": "string",
                            "enum": [priority.value for priority in Priority],
                            "default": Priority.ROUTINE.value,
                        },
                        "site": {
                            "type": "string",
                            "description": "Owner of the films; a key that is bound to a site "
                            "submits for that one.",
                        },
                        "patient_ref": {
                            "type": "string",
                            "maxLength": 64,
                            "description": "A pseudonym. Never a name or a hospital number.",
                        },
                        "force": {
                            "type": "boolean",
                            "default": False,
                            "description": "Analyse images again that have a job. Needs an "
                            "operator's key.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/studies",
    status_code=HTTPStatus.ACCEPTED,
    summary="Submit films",
    tags=["studies"],
    operation_id="submit_v1_studies_post",
    response_model=SubmissionBody,
    responses={HTTPStatus.OK: {"model": SubmissionBody, "description": "Nothing new in it."}},
    openapi_extra=_FORM,
)
@router.post(
    "/submissions",
    status_code=HTTPStatus.ACCEPTED,
    summary="Submit images",
    response_model=SubmissionBody,
    responses={HTTPStatus.OK: {"model": SubmissionBody, "description": "Nothing new in it."}},
    openapi_extra=_FORM,
)
async def submit(
    request: Request, container: ContainerOf, principal: PrincipalOf, metrics: MetricsOf
) -> Response:
    """Stream films to the store and queue a job for each.

    202 if at least one image was queued, 200 if every image was known already, each with its job.
    A file that is refused among accepted ones has the state `refused` and a reason. If every file
    is refused, the answer is a problem with the code of the first, and `jobs` tells of each.
    Sending the same films again is safe.
    """
    try:
        submitted = await submit_from_request(request, container, principal)
    except ClientDisconnect:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    metrics.observe_submission(submitted)
    return submission_response(submitted, request.url.path)


@router.get("/submissions/{submission_id}", summary="What became of a submission")
def read_submission(
    container: ContainerOf, principal: PrincipalOf, submission_id: UUID
) -> SubmissionRecordBody:
    """Show what a request sent and what has become of each file, also of refused ones.

    A client that lost the answer to its request finds it here by `study_id` of any of its new jobs.
    """
    return SubmissionRecordBody.of_view(container.read_submission(submission_id, principal))


def submission_response(submitted: SubmissionAnswer, instance: str) -> Response:
    """The answer to an upload, see :func:`submit`."""
    accepted = submitted.accepted
    first = submitted.files[0]
    if not accepted and isinstance(first, RefusedFile):
        jobs = [SubmittedFileBody.of(file).model_dump(mode="json") for file in submitted.files]
        told = {"jobs": jobs, "submission_id": str(submitted.submission_id)}
        return problem_of(first.error, instance, extensions=told)
    queued = any(file.queued for file in accepted)
    body = SubmissionBody.of(submitted).model_dump(mode="json", by_alias=True)
    return JSONResponse(body, HTTPStatus.ACCEPTED if queued else HTTPStatus.OK)
