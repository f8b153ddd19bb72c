"""The OpenAPI document: what FastAPI writes, and the problem schema that it cannot infer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hilum_gateway.routes.descriptions import ProblemBody

if TYPE_CHECKING:
    from fastapi import FastAPI


def install_openapi(app: FastAPI) -> None:
    """Complete the application's OpenAPI document."""
    written = app.openapi

    def complete() -> dict[str, Any]:
        first = app.openapi_schema is None
        document = written()
        if first:
            components = document.setdefault("components", {}).setdefault("schemas", {})
            components["ProblemBody"] = ProblemBody.model_json_schema()
        return document

    cast("Any", app).openapi = complete
