"""Sign in with an API key, and out."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from hilum.domain.errors import InvalidRequest, NotAuthenticated, RequestTooLarge
from hilum_gateway.http.request_log import note_principal
from hilum_gateway.pages.local_path import HOME, local_path
from hilum_gateway.pages.page_route import SIGN_IN, PageRoute
from hilum_gateway.pages.parts import OwnForm, Parts
from hilum_gateway.pages.rendering import NOT_STORED, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_MAX_FORM_BYTES = 8 * 1024
_WRONG_KEY = "This key is unknown or was revoked. Check that you copied all of it."


@router.get(SIGN_IN)
def sign_in_page(next_path: Annotated[str, Query(alias="next")] = HOME) -> Response:
    """The form."""
    return render("sign_in.html", message="", next=local_path(next_path))


@router.post(SIGN_IN, dependencies=[OwnForm])
async def sign_in(request: Request, parts: Parts) -> Response:
    """Open a session for a right key; 401 for a wrong one, 429 after too many of those."""
    form = await _small_form(request)
    goal = local_path(form.get("next"))
    address = request.client.host if request.client else ""
    wait_s = parts.failed_sign_ins.begin(address)
    if wait_s:
        message = f"Too many failed sign-ins from your address. Try again in {_words(wait_s)}."
        response: Response = render("sign_in.html", status=429, message=message, next=goal)
        response.headers["Retry-After"] = str(wait_s)
        return response
    try:
        principal = await run_in_threadpool(
            parts.container.manage_keys.authenticate, form.get("api_key", "")
        )
    except NotAuthenticated:
        return render("sign_in.html", status=401, message=_WRONG_KEY, next=goal)
    parts.failed_sign_ins.succeeded(address)
    note_principal(request, principal)
    response = RedirectResponse(goal, 303, NOT_STORED)
    await run_in_threadpool(parts.sessions.open, request, response, principal)
    return response


@router.post("/sign-out", dependencies=[OwnForm])
def sign_out(request: Request, parts: Parts) -> Response:
    """Close the session, if there is one."""
    response = RedirectResponse(SIGN_IN, 303, NOT_STORED)
    parts.sessions.close(request, response)
    return response


async def _small_form(request: Request) -> dict[str, str]:
    """The fields of a urlencoded form; whoever sends it is not known yet, so it is kept small.

    Raises:
        RequestTooLarge: More than a key and a path need.
        InvalidRequest: Not UTF-8.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise RequestTooLarge(f"this form may have at most {_MAX_FORM_BYTES} bytes")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=8))
    except ValueError:
        raise InvalidRequest("this is not the sign-in form") from None


def _words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
