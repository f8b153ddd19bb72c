"""``hilum models``: which version of each model a site reads with."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from hilum.domain.errors import NotFound
from hilum.domain.model import PanelKind, Rank
from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.site_models import labels_with_points
from hilum_cli.failure import readable
from hilum_cli.local_principal import local_principal
from hilum_cli.model_panels import print_panel
from hilum_cli.options import model_options, models_of
from hilum_cli.table import NOTICE, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hilum.application.models.manage_models import VersionAtSite
    from hilum.domain.model import ModelManifest

site_option = click.option(
    "--site", default=DEFAULT_SITE, show_default=True, help="Whose models these are."
)

_LIST: Final = (
    "model", "version", "panels", "at this site", "promoted", "by", "operating points", "labels",
)  # fmt: skip


@click.group("models")
def models() -> None:
    """Show, promote and take back the versions of models that a site reads with.

    Works on the database and on the folder of the models, not through the gateway. What is decided
    reaches every gateway and worker within seconds.
    """


@models.command("list")
@site_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@model_options
@readable
def list_models(
    *, site: str, as_json: bool, database_url: str | None, model_repository: Path | None
) -> None:
    """List every installed version and what the site makes of it."""
    manage = models_of(database_url, model_repository).manage
    versions = manage.at_site(site)
    for promotion in manage.not_installed(site):
        click.echo(
            f"site {site} is to read with {promotion.model} {promotion.version}, "
            "which is not installed: its films are parked",
            err=True,
        )
    if as_json:
        documents = [_document(version) for version in versions]
        click.echo(json.dumps({"site": site, "models": documents}, indent=2, ensure_ascii=False))
        return
    print_table(_LIST, [_row(version, site) for version in versions])


@models.command()
@click.argument("model")
@click.argument("version", required=False)
@site_option
@click.option("--card", is_flag=True, help="Print the model's card (Markdown) instead.")
@model_options
@readable
def show(
    *,
    model: str,
    version: str | None,
    site: str,
    card: bool,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Show a version of a model: of each panel its scope, and its labels with ranks and points.

    An operating point is that of the site. The predictive value is the share of positive verdicts
    that are right at the stated share of images with the finding. Without a version the one that
    the site reads with.
    """
    opened = models_of(database_url, model_repository)
    found = _find(opened.manage.at_site(site), model, version)
    manifest = found.manifest
    if card:
        click.echo(opened.of_site.card(manifest) or f"{model} {manifest.version} has no card.")
        return
    print_table(
        ("fact", "value"),
        [
            ("model", manifest.name),
            ("version", manifest.version),
            ("serving version", str(manifest.serving_version)),
            ("created", manifest.created),
            (f"at site {site}", _standing(found, site)),
        ],
    )
    for panel in manifest.panels:
        print_panel(found, panel)
    click.echo(NOTICE)


@models.command()
@click.argument("model")
@click.argument("version")
@click.option("--site", required=True, help="The site that is to read with it.")
@model_options
@readable
def promote(
    *, model: str, version: str, site: str, database_url: str | None, model_repository: Path | None
) -> None:
    """Let a site read with a version of a model from now on.

    Refused (operating_points_missing) while the site has no operating point of its own for some
    label of this version: fit them with `hilum thresholds fit`, or take over what is shipped with
    `hilum thresholds adopt-defaults`.
    """
    manage = models_of(database_url, model_repository).manage
    promotion = manage.promote(model, version, site, local_principal())
    click.echo(
        f"site {site} reads with {promotion.model} {promotion.version} "
        f"(promotion {promotion.number}, by {promotion.promoted_by})"
    )


@models.command()
@click.argument("model")
@click.option("--site", required=True, help="The site whose last promotion is taken back.")
@model_options
@readable
def rollback(
    *, model: str, site: str, database_url: str | None, model_repository: Path | None
) -> None:
    """Take the site's last promotion of a model back; the one before it is in force again.

    A site that takes back its only promotion follows the site `default` again.
    """
    manage = models_of(database_url, model_repository).manage
    taken_back, in_force = manage.roll_back(model, site, local_principal())
    follows = "" if in_force is None or in_force.site == site else f", as site {in_force.site} does"
    now = f"reads with {model} {in_force.version}{follows}" if in_force else "follows what ships"
    click.echo(f"took back {model} {taken_back.version}; site {site} {now}")


def _find(versions: Sequence[VersionAtSite], model: str, version: str | None) -> VersionAtSite:
    of_model = [found for found in versions if found.manifest.name == model]
    for found in of_model:
        if found.manifest.version == version or (version is None and found.in_force):
            return found
    if of_model and version is None:  # what it is to read with is not installed
        return of_model[-1]
    if not of_model:
        names = ", ".join(dict.fromkeys(found.manifest.name for found in versions))
        raise NotFound(f"no model {model} is installed; installed: {names}")
    listed = ", ".join(found.manifest.version for found in of_model)
    raise NotFound(f"{model} {version} is not installed; installed: {listed}")


def _row(version: VersionAtSite, site: str) -> tuple[str, ...]:
    promotion = version.promotion
    manifest = version.manifest
    ranks = _ranks(manifest)
    return (
        manifest.name,
        manifest.version,
        " ".join(panel.name for panel in manifest.panels),
        _standing(version, site),
        promotion.promoted_at.isoformat(timespec="seconds") if promotion else "",
        promotion.promoted_by if promotion else "",
        _points(version),
        ", ".join(f"{count} {rank.replace('_', ' ')}" for rank, count in ranks.items()),
    )


def _standing(version: VersionAtSite, site: str) -> str:
    if not version.in_force:
        return "installed"
    owner = version.promotion.site if version.promotion else DEFAULT_SITE
    return "in force" if owner == site else f"in force, follows {owner}"


def _points(version: VersionAtSite) -> str:
    wanted = len(labels_with_points(version.shipped))
    return f"{wanted - len(version.missing)} of {wanted}" if wanted else "none needed"


def _ranks(manifest: ModelManifest) -> dict[str, int]:
    """How many labels that may have a verdict are of each rank."""
    counts = Counter(
        label.rank.value
        for panel in manifest.panels
        if panel.kind is not PanelKind.STRUCTURES
        for label in panel.labels
    )
    return {rank.value: counts[rank.value] for rank in Rank if counts[rank.value]}


def _document(version: VersionAtSite) -> dict[str, object]:
    manifest, promotion = version.manifest, version.promotion
    return {
        "model": manifest.name,
        "version": manifest.version,
        "serving_version": manifest.serving_version,
        "panels": [panel.name for panel in manifest.panels],
        "in_force": version.in_force,
        "promotion": None
        if promotion is None
        else {
            "site": promotion.site,
            "number": promotion.number,
            "by": promotion.promoted_by,
            "at": promotion.promoted_at.isoformat(),
        },
        "without_operating_point": ["/".join(key) for key in version.missing],
        "labels_by_rank": _ranks(manifest),
        "switched_on": [
            f"{panel.name}/{label.name}"
            for panel in manifest.panels
            for label in panel.labels
            if label.rank is Rank.EXPERIMENTAL and panel.operating_point(label.name) is not None
        ],
    }
