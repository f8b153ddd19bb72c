"""What the OpenAPI document says that the framework cannot infer."""

from typing import Any, Final

from pydantic import BaseModel

from hilum_gateway.http.problems import MEDIA_TYPE

REFERENCES: Final = "#/components/schemas/{model}"


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
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCES.format(model="ProblemBody")}}},
    }
}
"""For ``responses=`` of every router; stands in for FastAPI's own 422 as well."""


def json_request(kind: type[BaseModel]) -> dict[str, Any]:
    """For ``openapi_extra=`` of a route that reads its JSON body itself.

    The schema stands in the document in full; the enumerations that it names are components.
    """
    schema = kind.model_json_schema(ref_template=REFERENCES)
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
