"""``/v1/keys``: who may use this API. Needs an admin's key.

An admin who is bound to a site rules over the keys of that site alone.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from hilum.domain.access import parse_key
from hilum.domain.errors import InternalError
from hilum.domain.principal import ALL_SITES, Permission, Role
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.json_body import json_body
from hilum_gateway.routes.descriptions import PROBLEMS, json_request
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=PROBLEMS)


class NewKeyBody(BaseModel):
    """A key to be made; ``*`` binds it to no site."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    role: Role
    site: str = Field(
        default=ALL_SITES, max_length=64, pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._-]*)$"
    )


class KeyBody(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(from_attributes=True)

    key_id: str = Field(validation_alias="id")
    name: str
    role: Role
    site: str
    created_at: datetime
    revoked_at: datetime | None


class KeysBody(BaseModel):
    """Every key that the asking admin rules over, oldest first."""

    keys: list[KeyBody]


class MadeKeyBody(BaseModel):
    """The only time that the key itself is shown."""

    key_id: str
    key: str
    name: str
    role: Role
    site: str


async def _wanted_key(request: Request, principal: PrincipalOf) -> NewKeyBody:
    """The key to be made; read only for somebody who may make one."""
    principal.require(Permission.MANAGE_ACCESS)
    return await json_body(request, NewKeyBody)


@router.get("", summary="List keys")
def list_keys(container: ContainerOf, principal: PrincipalOf) -> KeysBody:
    """Every key, revoked ones too, without secrets."""
    return KeysBody(
        keys=[KeyBody.model_validate(key) for key in container.manage_keys.all(principal)]
    )


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Make a key",
    openapi_extra=json_request(NewKeyBody),
)
def make_key(
    container: ContainerOf,
    principal: PrincipalOf,
    wanted: Annotated[NewKeyBody, Depends(_wanted_key)],
) -> MadeKeyBody:
    """Make a key. It is shown in this answer and never again."""
    text = container.manage_keys.create(wanted.name, wanted.role, principal, site=wanted.site)
    parsed = parse_key(text) if text else None
    if text is None or parsed is None:
        raise InternalError("a new key has no text")
    return MadeKeyBody(
        key_id=parsed[0], key=text, name=wanted.name, role=wanted.role, site=wanted.site
    )


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT, summary="Revoke a key")
def revoke_key(
    container: ContainerOf,
    principal: PrincipalOf,
    key_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$")],
) -> Response:
    """Revoke a key; it stops working with its next request."""
    container.manage_keys.revoke(key_id, principal)
    return Response(status_code=HTTPStatus.NO_CONTENT)
