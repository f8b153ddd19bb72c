"""Who asks: the API key of a request (RFC 6750, bearer tokens in the Authorization header)."""

from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from structlog.contextvars import bind_contextvars

from hilum.domain.access import ApiKey
from hilum.domain.errors import NotAuthenticated
from hilum_gateway.dependencies import ContainerOf

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="`Authorization: Bearer hilum_<id>.<secret>`, from `hilum keys create`.",
)


async def authenticated_key(
    request: Request,
    container: ContainerOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> ApiKey:
    """The key that the request was sent with, checked against the database every time.

    Nothing is cached: a revoked key stops working with the next request.

    Raises:
        NotAuthenticated: No key, an unknown one, or a revoked one.
        DatabaseUnavailable: It cannot be told now.
    """
    if credentials is None:
        raise NotAuthenticated("send the API key as `Authorization: Bearer <key>`")
    key = await anyio.to_thread.run_sync(
        container.manage_keys.authenticate, credentials.credentials
    )
    note_key(request, key)
    return key


def note_key(request: Request, key: ApiKey) -> None:
    """Remember whose request this is, for the log."""
    request.state.key_id = key.id
    bind_contextvars(principal=f"key:{key.id}", site=key.site)


async def watching_key(
    request: Request,
    container: ContainerOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """A key for what Prometheus reads without one, where it has a port of its own for that.

    The main port is the one that proxies show to everybody.

    Raises:
        NotAuthenticated: As :func:`authenticated_key`.
        DatabaseUnavailable: Likewise.
    """
    if container.settings.metrics.port is not None:
        await authenticated_key(request, container, credentials)


KeyOf = Annotated[ApiKey, Depends(authenticated_key)]
"""The API key of the request."""
