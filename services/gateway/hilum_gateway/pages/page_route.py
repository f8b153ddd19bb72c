"""Routes for people: an error becomes a page that says what happened and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from hilum.domain.errors import (
    HilumError,
    InternalError,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    Rejected,
)
from hilum_gateway.advice import advice
from hilum_gateway.http.problems import RETRY_AFTER_S, public_detail, status_of
from hilum_gateway.pages.local_path import HOME, local_path, path_of
from hilum_gateway.pages.rendering import NOT_STORED, render
from hilum_gateway.routes.submissions import CLIENT_CLOSED_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.requests import Request

_LOG = logging.getLogger(__name__)

SIGN_IN: Final = "/sign-in"

UPLOAD_RESULT: Final = "upload-result"
"""Id of the one place on a page that shows the errors of its own requests."""

_HEADINGS: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "This request cannot be understood",
    HTTPStatus.FORBIDDEN: "Your key does not allow this",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "The job has changed meanwhile",
    HTTPStatus.GONE: "This image is no longer kept",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Too large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "This cannot be taken",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available for the moment",
}

_ADVICE: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "Go back and try again.",
    HTTPStatus.FORBIDDEN: "Sign in with another key, or ask whoever runs Hilum for one.",
    HTTPStatus.NOT_FOUND: "Check the address. Images of other sites than your key's are not shown.",
    HTTPStatus.CONFLICT: "Reload the page to see its present state.",
    HTTPStatus.GONE: "Its result is on its page. Send the image again to see it.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Images that were accepted are safe. Try again in a moment.",
}
_DEFECT: Final = ("Something went wrong in Hilum", "Tell whoever runs Hilum.")


class PageRoute(APIRoute):
    """A route whose errors are pages, fragments or plain text, as the client asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with domain errors and malformed addresses answered for people."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except HilumError as error:
                return error_response(request, error)
            except RequestValidationError as error:
                where = error.errors()[0]["loc"][0] if error.errors() else ""
                if where == "path":
                    return error_response(request, NotFound("there is no such image"))
                return error_response(request, InvalidRequest("a part of the address is malformed"))
            except ClientDisconnect:
                return Response(status_code=CLIENT_CLOSED_REQUEST)
            except HTTPException:
                raise
            except Exception:  # noqa: BLE001 - a defect is a page for a person, too
                facts = {"method": request.method, "path": request.url.path}
                _LOG.exception("request.crashed", extra=facts)
                return error_response(request, InternalError("unforeseen, see the trace above"))

        return answer


def error_response(request: Request, error: HilumError) -> Response:
    """What a person sees of an error: sign-in, a fragment, a page, or a line of text."""
    if isinstance(error, NotAuthenticated):
        return _to_sign_in(request, error)
    status = status_of(error)
    headers = dict(NOT_STORED)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("request.failed", extra={"error": error.sentence})
    detail = public_detail(error)
    title, what_to_do = _HEADINGS.get(status, _DEFECT[0]), _ADVICE.get(status, _DEFECT[1])
    if isinstance(error, Rejected):
        what_to_do = advice(error.code)
    words = {"heading": title, "detail": detail, "what_to_do": what_to_do}
    response: Response
    if is_fragment(request):
        response = render("fragments/notice.html", status=status, **words)
        if request.headers.get("hx-target") != UPLOAD_RESULT:
            headers |= {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": "unset"}
    elif "text/html" in request.headers.get("accept", ""):
        response = render("error.html", status=status, code=error.code, **words)
    else:
        response = PlainTextResponse(f"{title}. {detail}", status)
    response.headers.update(headers)
    return response


def is_fragment(request: Request) -> bool:
    """Whether htmx asks, for a part of a page."""
    return "hx-request" in request.headers


def _to_sign_in(request: Request, error: NotAuthenticated) -> Response:
    """Send a person to sign in, and afterwards back; tell a picture or a stream 401."""
    if is_fragment(request):
        here = path_of(request.headers.get("hx-current-url", HOME))
        address = f"{SIGN_IN}?next={quote(here, safe='/')}"
        return Response(status_code=401, headers={"HX-Redirect": address, **NOT_STORED})
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(error.detail, 401, NOT_STORED)
    query = f"?{request.url.query}" if request.url.query else ""
    here = local_path(request.url.path + query) if request.method == "GET" else HOME
    address = SIGN_IN if here == HOME else f"{SIGN_IN}?next={quote(here, safe='/')}"
    return RedirectResponse(address, 303, NOT_STORED)
