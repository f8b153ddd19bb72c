"""How problems appear in the OpenAPI document."""

from typing import Any, Final

from pydantic import BaseModel

from hilum_gateway.problems import MEDIA_TYPE


class ProblemBody(BaseModel):
    """Problem details (RFC 9457). ``code`` is stable; match on it, not on the texts."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "Anything else: a problem with a stable `code`.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
    }
}
"""For ``responses=`` of every router; stands in for FastAPI's own 422 as well."""
