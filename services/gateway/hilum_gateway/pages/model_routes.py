"""What reads the films, and how well: for people."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from hilum.domain.access import ALL_SITES, Permission
from hilum_gateway.pages.model_view import model_sheets
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import Parts, SignedIn
from hilum_gateway.pages.rendering import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/models")
def models_page(
    key: SignedIn, parts: Parts, site: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Every installed version, and which of them read for the person's site."""
    key.require(Permission.READ)
    owner = key.site_for(site or None)
    catalogue = parts.container.catalogue
    return render(
        "models.html",
        key=key,
        site=owner,
        may_choose=key.site == ALL_SITES,
        model_set=catalogue.of_site(owner).version,
        sheets=model_sheets(catalogue, owner),
    )
