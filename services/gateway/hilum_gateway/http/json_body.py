"""A small JSON body, read after the key was checked.

The framework reads a body that a route declares before it asks any dependency: a stranger could
fill the memory of the gateway with a body that nobody will look at. So no route declares one.
"""

from typing import Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from hilum_gateway.http.request_body import RequestBody

Body = TypeVar("Body", bound=BaseModel)

MAX_BYTES: Final = 16 * 1024
_STALL_S: Final = 10.0


async def json_body(request: Request, kind: type[Body]) -> Body:
    """The body of a request as a model.

    Raises:
        RequestTooLarge: More than :data:`MAX_BYTES`.
        RequestValidationError: Not JSON, or not what the model asks for.
        ClientDisconnect: The client went away.
    """
    content = await RequestBody(request, max_bytes=MAX_BYTES, stall_s=_STALL_S).read()
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_context=False, include_url=False)
        raise RequestValidationError(errors) from None
