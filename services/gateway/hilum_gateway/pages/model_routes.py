"""What reads the films, and how well: for people."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from hilum.domain.principal import Permission
from hilum_gateway.pages.model_view import model_sheets
from hilum_gateway.pages.page_route import PageRoute
from hilum_gateway.pages.parts import Parts, SignedIn
from hilum_gateway.pages.rendering import render

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/models")
def models_page(
    principal: SignedIn, parts: Parts, site: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Every installed version, and which of them read for the person's site."""
    owner = principal.site_for(Permission.READ_JOBS, site)
    catalogue = parts.container.catalogue
    return render(
        "models.html",
        principal=principal,
        site=owner,
        may_choose=principal.sites(Permission.READ_JOBS) is None,
        model_set=catalogue.of_site(owner).version,
        sheets=model_sheets(catalogue, owner),
    )
