"""Errors as a client sees them: problem details (RFC 9457) with a stable ``code``.

Domain errors carry no HTTP status; :data:`STATUS` is where they get one. A problem looks like::

    {"type": "urn:hilum:error:not_found", "title": "Not found", "status": 404,
     "detail": "no job 5d0c...", "instance": "/v1/jobs/5d0c...", "code": "not_found",
     "request_id": "9f2c..."}

``code`` is what programs match on. Where files are at fault, ``advice`` says what a person can do.
What is down inside is not told to whoever asks: the detail of an outage or of a defect goes to the
log, under the request's id.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hilum.domain.errors import (
    FileTooLarge,
    FilmExpired,
    HilumError,
    InternalError,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Permanent,
    Refused,
    Rejected,
    RequestTooLarge,
    Transient,
    TransitionNotAllowed,
    UploadTooSlow,
)
from hilum_gateway.advice import advice
from hilum_gateway.http.request_id import current_request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

_LOG = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5

STATUS: Final[Mapping[type[HilumError], HTTPStatus]] = {
    Rejected: HTTPStatus.UNPROCESSABLE_ENTITY,
    FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Transient: HTTPStatus.SERVICE_UNAVAILABLE,
    Permanent: HTTPStatus.INTERNAL_SERVER_ERROR,
    Refused: HTTPStatus.BAD_REQUEST,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    UploadTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotPermitted: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    FilmExpired: HTTPStatus.GONE,
    TransitionNotAllowed: HTTPStatus.CONFLICT,
}
"""Status of a class of errors and of what is below it, unless that has a line of its own."""

PUBLIC_DETAIL: Final[Mapping[type[HilumError], str]] = {
    Transient: "A part of the service does not answer. Nothing was lost; send the request again.",
    Permanent: "The service failed. The log has the reason under the request's id.",
}
"""What is said instead of the detail of errors that speak of the inside."""

_HEADERS: Final[Mapping[type[HilumError], dict[str, str]]] = {
    NotAuthenticated: {"WWW-Authenticate": 'Bearer realm="hilum"'},
    Transient: {"Retry-After": str(RETRY_AFTER_S)},
}

_CODES: Final[Mapping[int, str]] = {
    HTTPStatus.NOT_FOUND: NotFound.code,
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.UNAUTHORIZED: NotAuthenticated.code,
    HTTPStatus.FORBIDDEN: NotPermitted.code,
}
"""Codes of the statuses that the framework raises by itself."""


def status_of(error: HilumError) -> HTTPStatus:
    """The HTTP status of an error: that of the nearest of its classes in :data:`STATUS`."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def public_detail(error: HilumError) -> str:
    """The detail that anybody may read."""
    for kind, text in PUBLIC_DETAIL.items():
        if isinstance(error, kind):
            return text
    return error.detail


def problem(
    instance: str,
    *,
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """A problem details response.

    Args:
        instance: Path of the request.
        status: HTTP status.
        code: Stable code; the title is made of it.
        detail: One sentence.
        headers: Further headers.
        extensions: Further members.
    """
    body = {
        "type": f"urn:hilum:error:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": int(status),
        "detail": detail,
        "instance": instance,
        "code": code,
        "request_id": current_request_id(),
        **(extensions or {}),
    }
    return JSONResponse(body, int(status), dict(headers or {}), MEDIA_TYPE)


def problem_of(
    error: HilumError, instance: str, *, extensions: Mapping[str, Any] | None = None
) -> JSONResponse:
    """The problem that an error of the tree is to a client."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("request.failed", extra={"error": error.sentence})
    headers = next((found for kind, found in _HEADERS.items() if isinstance(error, kind)), None)
    told = {"advice": advice(error.code)} if isinstance(error, Rejected) else {}
    return problem(
        instance,
        status=status,
        code=error.code,
        detail=public_detail(error),
        headers=headers,
        extensions={**told, **(extensions or {})},
    )


def unforeseen(instance: str) -> JSONResponse:
    """The problem of an exception that nobody foresaw; says nothing about it."""
    return problem_of(InternalError("unforeseen, see the trace above"), instance)


async def _on_domain_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HilumError)  # noqa: S101 - registered for this class
    return problem_of(error, request.url.path)


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    # Without `input`: what was sent may be a secret and is not repeated.
    errors = [
        {"where": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in error.errors()
    ]
    first = errors[0] if errors else {"where": "request", "message": "malformed"}
    return problem_of(
        InvalidRequest(f"{first['where']}: {first['message']}"),
        request.url.path,
        extensions={"errors": errors},
    )


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return problem(
        request.url.path,
        status=error.status_code,
        code=_CODES.get(error.status_code, f"http_{error.status_code}"),
        detail=str(error.detail),
        headers=error.headers,
    )


def install_problems(app: FastAPI) -> None:
    """Answer every error of this application with a problem."""
    app.add_exception_handler(HilumError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
