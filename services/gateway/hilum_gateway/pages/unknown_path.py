"""A browser that asks for a path that nothing serves gets a page, a program gets a problem."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from hilum.domain.errors import NotFound
from hilum_gateway.pages.page_route import error_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

_API = "/v1/"


def answer_unknown_paths(app: FastAPI) -> None:
    """Put a page before the application's own answer to errors that the framework raises."""
    otherwise: Callable[[Request, Exception], Awaitable[Response]]
    otherwise = app.exception_handlers[HTTPException]  # type: ignore[assignment]

    async def answer(request: Request, error: Exception) -> Response:
        unknown = isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND
        wants_page = "text/html" in request.headers.get("accept", "")
        if unknown and wants_page and not request.url.path.startswith(_API):
            return error_response(request, NotFound("there is no such page"))
        return await otherwise(request, error)

    app.add_exception_handler(HTTPException, answer)
