"""Adds the web pages to the gateway."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from starlette.staticfiles import StaticFiles

from hilum_gateway.pages import (
    film_routes,
    image_routes,
    model_routes,
    sign_in_routes,
    upload_routes,
    worklist_events,
    worklist_routes,
)
from hilum_gateway.pages.parts import PageParts
from hilum_gateway.pages.rendering import STATIC_PATH
from hilum_gateway.pages.unknown_path import answer_unknown_paths

if TYPE_CHECKING:
    from fastapi import FastAPI

    from hilum_gateway.wiring.container import Container


def install(app: FastAPI, container: Container) -> None:
    """Add pages, pictures, the upload form's route and static files.

    Args:
        app: Its ``state`` holds ``container``, ``changes`` and ``metrics`` already, and its
            errors are answered with problems.
        container: The parts of this gateway.
    """
    app.state.pages = PageParts.of(container)
    for routes in (
        sign_in_routes,
        worklist_routes,
        worklist_events,
        upload_routes,
        image_routes,
        film_routes,
        model_routes,
    ):
        app.include_router(routes.router)
    static = resources.files("hilum_gateway.pages").joinpath("static")
    app.mount(STATIC_PATH, StaticFiles(directory=str(static)), name="static")
    answer_unknown_paths(app)
