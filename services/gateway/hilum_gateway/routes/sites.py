"""``/v1/sites``: whose images Hilum knows, and what their work weighs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from hilum.domain.principal import Permission
from hilum.domain.site import LEAST_WEIGHT, MOST_WEIGHT
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.http.json_body import json_body
from hilum_gateway.http.request_id import current_request_id
from hilum_gateway.routes.descriptions import PROBLEMS, json_request
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/sites", tags=["sites"], responses=PROBLEMS)

SiteName = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class SiteBody(BaseModel):
    """A site and its share."""

    model_config = ConfigDict(from_attributes=True)

    site: str = Field(validation_alias="id")
    weight: float


class SitesBody(BaseModel):
    """Sites that the key manages."""

    sites: list[SiteBody]


class WeightBody(BaseModel):
    """How many shares a site gets where another one gets a share of its weight."""

    weight: float = Field(json_schema_extra={"minimum": LEAST_WEIGHT, "maximum": MOST_WEIGHT})


async def _weight(request: Request, principal: PrincipalOf) -> WeightBody:
    """The weight; read only for somebody who manages a site."""
    principal.require(Permission.MANAGE_SITE)
    return await json_body(request, WeightBody)


@router.get("", summary="List sites")
def list_sites(container: ContainerOf, principal: PrincipalOf) -> SitesBody:
    """Sites that the key manages, by name. A site is known from its first image on."""
    found = container.manage_sites.all(principal)
    return SitesBody(sites=[SiteBody.model_validate(site) for site in found])


@router.put(
    "/{site}/weight", summary="Set the weight of a site", openapi_extra=json_request(WeightBody)
)
def set_weight(
    container: ContainerOf,
    principal: PrincipalOf,
    site: SiteName,
    wanted: Annotated[WeightBody, Depends(_weight)],
) -> SitesBody:
    """Let what the site queues from now on weigh so much. What waits keeps its place."""
    container.manage_sites.set_weight(site, wanted.weight, principal, current_request_id())
    return list_sites(container, principal)
