"""Who asks: the API key of a request (RFC 6750, bearer tokens in the Authorization header)."""

from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hilum.domain.errors import NotAuthenticated
from hilum.domain.principal import Principal
from hilum_gateway.http.request_log import note_principal
from hilum_gateway.wiring.dependencies import ContainerOf

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="`Authorization: Bearer hilum_<id>.<secret>`, from `hilum keys create`.",
)


async def authenticated(
    request: Request,
    container: ContainerOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Principal:
    """Return who acts with the key of the request, checked against the database every time.

    Nothing is cached: a revoked key stops working with the next request.

    Raises:
        NotAuthenticated: No key, an unknown one, or a revoked one.
        DatabaseUnavailable: It cannot be told now.
    """
    if credentials is None:
        raise NotAuthenticated("send the API key as `Authorization: Bearer <key>`")
    principal = await anyio.to_thread.run_sync(
        container.manage_keys.authenticate, credentials.credentials
    )
    note_principal(request, principal)
    return principal


async def watching_key(
    request: Request,
    container: ContainerOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """A key for what Prometheus reads without one, where it has a port of its own for that.

    The main port is the one that proxies show to everybody.

    Raises:
        NotAuthenticated: As :func:`authenticated`.
        DatabaseUnavailable: Likewise.
    """
    if container.settings.metrics.port is not None:
        await authenticated(request, container, credentials)


PrincipalOf = Annotated[Principal, Depends(authenticated)]
"""Who acts with the API key of the request."""
