"""``hilum thresholds switch-on`` and ``switch-off``: experimental labels of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hilum_cli.failure import readable
from hilum_cli.in_force import tell_if_in_force
from hilum_cli.local_principal import local_principal
from hilum_cli.options import model_options, models_of, version_of
from hilum_cli.table import NOTICE, print_prose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hilum.domain.site_models import SiteOperatingPoint


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what names labels of a site."""
    for option in (
        click.option("--version", help="Version of the model; the active one if left out."),
        click.option("--site", required=True, help="The site that decides."),
        click.argument("label", required=False),
        click.argument("panel"),
    ):
        command = option(command)
    return command


@click.command("switch-on")
@_which
@model_options
@readable
def switch_on(
    *,
    panel: str,
    label: str | None,
    version: str | None,
    site: str,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Give experimental labels of a panel a verdict at a site.

    The site takes over the shipped operating point of LABEL, or of every experimental label of
    PANEL that has one. A point that the site fitted stays. Refused for labels of another rank
    (label_not_experimental) and without a shipped point (no_shipped_point).
    """
    opened = models_of(database_url, model_repository)
    manifest = version_of(opened, site, panel, version)
    name, number = manifest.name, manifest.version
    adopted = opened.manage.switch_on(name, number, panel, label, site, local_principal())
    if not adopted:
        click.echo(f"site {site}: on already, nothing was changed")
        return
    print_prose(f"site {site}: switched on {_named(adopted)} of {name} {number}")
    print_prose("The evidence for an experimental label is weak: fit it on images of the site.")
    click.echo(NOTICE)
    tell_if_in_force(opened, manifest, site)


@click.command("switch-off")
@_which
@model_options
@readable
def switch_off(
    *,
    panel: str,
    label: str | None,
    version: str | None,
    site: str,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Take the verdict of experimental labels of a panel away at a site.

    Removes the site's operating point of LABEL, or of every experimental label of PANEL, also one
    that was fitted. Their probabilities stay.
    """
    opened = models_of(database_url, model_repository)
    manifest = version_of(opened, site, panel, version)
    name, number = manifest.name, manifest.version
    removed = opened.manage.switch_off(name, number, panel, label, site, local_principal())
    print_prose(f"site {site}: switched off {_named(removed)} of {name} {number}")


def _named(points: Sequence[SiteOperatingPoint]) -> str:
    return ", ".join("/".join(point.key) for point in points)
