"""``/v1/keys``: who may use this API. Needs an admin's key.

An admin who is bound to a site rules over the keys of that site alone.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from hilum.domain.access import ALL_SITES, ApiKey, Permission, Role, parse_key
from hilum.domain.errors import InternalError, NotFound, NotPermitted
from hilum_gateway.authentication import KeyOf
from hilum_gateway.dependencies import ContainerOf
from hilum_gateway.json_body import json_body
from hilum_gateway.routes.descriptions import PROBLEMS, json_request

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

    key_id: str
    name: str
    role: Role
    site: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Of a stored key."""
        return cls(
            key_id=key.id,
            name=key.name,
            role=key.role,
            site=key.site,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )


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


async def _wanted_key(request: Request, key: KeyOf) -> NewKeyBody:
    """The key to be made; read only for somebody who may make one."""
    key.require(Permission.ADMINISTER)
    return await json_body(request, NewKeyBody)


@router.get("", summary="List keys")
def list_keys(container: ContainerOf, key: KeyOf) -> KeysBody:
    """Every key, revoked ones too, without secrets."""
    key.require(Permission.ADMINISTER)
    shown = [KeyBody.of(held) for held in container.manage_keys.all() if key.sees(held.site)]
    return KeysBody(keys=shown)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Make a key",
    openapi_extra=json_request(NewKeyBody),
)
def make_key(
    container: ContainerOf, key: KeyOf, wanted: Annotated[NewKeyBody, Depends(_wanted_key)]
) -> MadeKeyBody:
    """Make a key. It is shown in this answer and never again."""
    if not key.sees(wanted.site):
        raise NotPermitted(f"this key makes keys for site {key.site} only")
    text = container.manage_keys.create(wanted.name, wanted.role, key.id, site=wanted.site)
    parsed = parse_key(text) if text else None
    if text is None or parsed is None:
        raise InternalError("a new key has no text")
    return MadeKeyBody(
        key_id=parsed[0], key=text, name=wanted.name, role=wanted.role, site=wanted.site
    )


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT, summary="Revoke a key")
def revoke_key(
    container: ContainerOf,
    key: KeyOf,
    key_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$")],
) -> Response:
    """Revoke a key; it stops working with its next request."""
    key.require(Permission.ADMINISTER)
    ruled = {held.id for held in container.manage_keys.all() if key.sees(held.site)}
    if key_id not in ruled:
        raise NotFound(f"no key {key_id}")
    container.manage_keys.revoke(key_id, key.id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
