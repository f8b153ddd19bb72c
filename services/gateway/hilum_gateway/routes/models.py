"""``/v1/models``: what reads the films of a site, and how well."""

from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response

from hilum.domain.errors import NotFound
from hilum.domain.model import ModelManifest, ModelSet
from hilum.domain.principal import Permission, Principal
from hilum_gateway.auth.authentication import PrincipalOf
from hilum_gateway.routes.descriptions import PROBLEMS
from hilum_gateway.schemas.models import MetricsBody, ModelBody, ModelDetailBody, ModelSetBody
from hilum_gateway.wiring.container import Container
from hilum_gateway.wiring.dependencies import ContainerOf

router = APIRouter(prefix="/v1/models", tags=["models"], responses=PROBLEMS)

SiteOf = Annotated[
    str | None,
    Query(max_length=64, description="Whose models; that of the key, or `default`, if left out."),
]
VersionOf = Annotated[
    str | None,
    Query(max_length=64, description="An installed version; the one in force if left out."),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A version of a model that a request asks for, as a site has it."""

    site: str
    in_force: ModelSet
    manifest: ModelManifest
    installed: list[str]

    @classmethod
    def of(
        cls,
        container: Container,
        principal: Principal,
        model: str,
        version: str | None,
        site: str | None,
    ) -> Self:
        """Find it.

        Raises:
            NotPermitted: The principal sees another site.
            NotFound: No such model or version is installed.
        """
        owner = principal.site_for(Permission.READ_JOBS, site)
        in_force = container.catalogue.of_site(owner)
        versions = [one for one in container.catalogue.installed() if one.name == model]
        if not versions:
            raise NotFound(f"no model {model}")
        # What the site reads with carries its operating points, so it is looked through first.
        among = [one for one in in_force.models if one.name == model]
        wanted = next((one for one in [*among, *versions] if version in (None, one.version)), None)
        if wanted is None:
            raise NotFound(f"no version {version} of {model}")
        return cls(owner, in_force, wanted, [one.version for one in versions])


@router.get("", summary="What is served")
def models(container: ContainerOf, principal: PrincipalOf, site: SiteOf = None) -> ModelSetBody:
    """The models that read new films of a site, with its operating points and measured metrics."""
    owner = principal.site_for(Permission.READ_JOBS, site)
    catalogue = container.catalogue
    in_force = catalogue.of_site(owner)
    return ModelSetBody(
        site=owner,
        model_set=in_force.version,
        models=[ModelBody.of(model, catalogue.card(model)) for model in in_force.models],
    )


@router.get("/{model}", summary="One model")
def model(
    container: ContainerOf,
    principal: PrincipalOf,
    model: str,
    version: VersionOf = None,
    site: SiteOf = None,
) -> ModelDetailBody:
    """A version of a model: manifest, files with digests, and the operating points of a site.

    A version that the site does not read with is shown with the operating points that it ships.
    """
    asked = _Asked.of(container, principal, model, version, site)
    return ModelDetailBody.of_version(
        asked.manifest,
        container.catalogue.card(asked.manifest),
        site=asked.site,
        in_force=asked.manifest in asked.in_force.models,
        installed=asked.installed,
    )


@router.get(
    "/{model}/card",
    summary="The model's card",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
def card(
    container: ContainerOf,
    principal: PrincipalOf,
    model: str,
    version: VersionOf = None,
    site: SiteOf = None,
) -> Response:
    """The card of a version, Markdown: intended use, data, metrics, and what it is not for."""
    asked = _Asked.of(container, principal, model, version, site)
    text = container.catalogue.card(asked.manifest)
    if not text:
        raise NotFound(f"{model} {asked.manifest.version} has no card")
    return Response(text, media_type="text/markdown; charset=utf-8")


@router.get("/{model}/metrics", summary="What was measured of a model")
def metrics(
    container: ContainerOf,
    principal: PrincipalOf,
    model: str,
    version: VersionOf = None,
    site: SiteOf = None,
) -> MetricsBody:
    """Measured metrics of a version by panel, as its manifest carries them."""
    return MetricsBody.of(_Asked.of(container, principal, model, version, site).manifest)
