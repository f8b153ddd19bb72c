"""``hilum thresholds``: the operating points of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from hilum.domain.errors import NotFound
from hilum.domain.principal import DEFAULT_SITE
from hilum.domain.verdict import reason_text
from hilum_cli.commands.fit import fit
from hilum_cli.commands.models import site_option
from hilum_cli.commands.switching import switch_off, switch_on
from hilum_cli.failure import readable
from hilum_cli.local_principal import local_principal
from hilum_cli.options import model_options, models_of, version_of
from hilum_cli.table import print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hilum.domain.site_models import SiteOperatingPoint

_LIST: Final = (
    "site", "model", "version", "panel", "label", "operating point", "origin", "set", "by",
)  # fmt: skip


@click.group("thresholds")
def thresholds() -> None:
    """Fit, adopt and show the operating points of a site.

    A label is read as positive at and above its operating point. Each belongs to one site and one
    version of one model.
    """


@thresholds.command("list")
@click.option("--site", help="Only this site.")
@model_options
@readable
def list_thresholds(
    *, site: str | None, database_url: str | None, model_repository: Path | None
) -> None:
    """List operating points."""
    points = models_of(database_url, model_repository).manage.points(site)
    print_table(
        _LIST,
        [
            (
                point.site,
                point.model,
                point.version,
                point.panel,
                point.point.label,
                f"{point.point.threshold:.6g}",
                point.origin.value,
                point.set_at.isoformat(timespec="seconds"),
                point.set_by,
            )
            for point in points
        ],
    )


@thresholds.command()
@click.argument("panel")
@click.argument("label")
@click.option("--version", help="Version of the model; the one in force if left out.")
@site_option
@model_options
@readable
def show(
    *,
    panel: str,
    label: str,
    version: str | None,
    site: str,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Show one operating point of a site: who set it, when, and how it was found."""
    opened = models_of(database_url, model_repository)
    manifest = version_of(opened, site, panel, version)
    held = [
        point
        for owner in dict.fromkeys((site, DEFAULT_SITE))
        for point in opened.manage.points(owner)
        if (point.model, point.version) == (manifest.name, manifest.version)
        and point.key == (panel, label)
    ]
    if not held:
        raise NotFound(
            f"site {site} has no operating point for {panel}/{label} of "
            f"{manifest.name} {manifest.version}"
        )
    print_table(("fact", "value"), _facts(held[0]))


@thresholds.command("adopt-defaults")
@click.argument("model")
@click.argument("version")
@click.option("--site", required=True, help="The site that takes them over.")
@model_options
@readable
def adopt_defaults(
    *, model: str, version: str, site: str, database_url: str | None, model_repository: Path | None
) -> None:
    """Take over the shipped operating points of a version for a site.

    Only for validated labels for which the site has none of its own: what was fitted stays. For
    experimental labels there is `hilum thresholds switch-on`. They were chosen
    on the films that the model was trained beside, not on the site's.
    """
    manage = models_of(database_url, model_repository).manage
    adopted = manage.adopt_shipped(model, version, site, local_principal())
    click.echo(f"site {site} adopted {len(adopted)} operating points of {model} {version}")


thresholds.add_command(fit)
thresholds.add_command(switch_on)
thresholds.add_command(switch_off)


def _facts(held: SiteOperatingPoint) -> list[tuple[str, str]]:
    facts = [
        ("site", held.site),
        ("model", f"{held.model} {held.version}"),
        ("panel / label", "/".join(held.key)),
        ("operating point", f"{held.point.threshold:.6g}"),
        ("origin", held.origin.value),
        ("set", f"{held.set_at.isoformat(timespec='seconds')} by {held.set_by}"),
        ("fitted on", held.point.fitted_on),
    ]
    if held.point.child_threshold is not None:
        facts.append(("operating point for children", f"{held.point.child_threshold:.6g}"))
    facts.extend(("beyond the scope", reason_text(reason)) for reason in held.point.beyond_scope)
    for name, value in (
        ("sensitivity", held.point.sensitivity),
        ("specificity", held.point.specificity),
    ):
        if value is not None:
            facts.append((name, f"{value:.3f}"))
    for name, value in held.evidence.items():
        if isinstance(value, dict):
            facts.extend((f"source {source}", _figures(of)) for source, of in value.items())
        else:
            facts.append((name.replace("_", " "), _told(value)))
    return facts


def _figures(figures: Mapping[str, object]) -> str:
    """The figures of one source; one that could not be measured is left out."""
    return ", ".join(
        f"{name} {_told(value)}" for name, value in figures.items() if value is not None
    )


def _told(value: object) -> str:
    """A fact of the evidence; an interval is two numbers, a value with one is three."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list):
        return str(value)
    *first, low, high = (f"{number:.4g}" for number in value)
    return " ".join([*first, f"({low} to {high})"])
