"""``hilum thresholds fit``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hilum.application.resampling import Aim
from hilum.domain.access import DEFAULT_SITE
from hilum.domain.errors import TooFewFilms
from hilum.domain.site_models import labels_with_points
from hilum_cli.failure import USAGE, Failure, readable
from hilum_cli.labelled_films import read_labelled_films
from hilum_cli.operator import operator
from hilum_cli.options import model_options, models_of
from hilum_cli.progress import progress
from hilum_cli.table import NOTICE, print_table
from hilum_cli.threshold_plot import draw_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hilum.application.fitting import Fit, Measured
    from hilum.application.use_cases.fit_thresholds import LabelFit, Scores
    from hilum.domain.model import ModelManifest
    from hilum_cli.bootstrap import Models
    from hilum_cli.labelled_films import LabelledFilms

_COLUMNS: Final = (
    "panel",
    "label",
    "threshold",
    "now",
    "sensitivity",
    "specificity",
    "unseen sensitivity",
    "unseen specificity",
    "AUROC",
    "films",
    "positive",
    "patients",
)
_LEFT_OUT: Final = 10


@click.command()
@click.argument(
    "films", metavar="CSV", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--site", required=True, help="The site whose films these are.")
@click.option("--sensitivity", type=float, help="Wanted sensitivity, e.g. 0.95.")
@click.option("--specificity", type=float, help="Wanted specificity, instead of a sensitivity.")
@click.option("--panel", "panels", multiple=True, help="Only this panel; may be repeated.")
@click.option("--label", "labels", multiple=True, help="Only this label; may be repeated.")
@click.option("--model", help="The model, where the columns are of panels of several.")
@click.option("--version", help="Version of the model; the one in force if left out.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of the fits (SVG).",
)
@click.option("--save", is_flag=True, help="Put the fitted operating points in force at the site.")
@model_options
@readable
def fit(  # noqa: PLR0913 - one parameter an option
    *,
    films: Path,
    site: str,
    sensitivity: float | None,
    specificity: float | None,
    panels: tuple[str, ...],
    labels: tuple[str, ...],
    model: str | None,
    version: str | None,
    plot: Path | None,
    save: bool,
    database_url: str | None,
    model_repository: Path | None,
) -> None:
    """Fit operating points on films of the site whose truth is known.

    CSV has one row a film. The columns job_id, sop_instance_uid or file say which film; patient
    (a pseudonym) which films belong together; a column named after a panel holds the label that is
    true (several set apart by |, or none), a column PANEL.LABEL holds 1 or 0. An empty cell: not
    known. Nothing is changed without --save.
    """
    aim, wanted = _wanted(sensitivity, specificity)
    opened = models_of(database_url, model_repository)
    manifest, told = _model_of(opened, films, site, (model, version, panels))
    models = opened.of_site.of_site(site)
    with progress("reading", len(told.films)) as advance:
        scores = opened.fit.scores(told.films, models, manifest, site, advance)
    _tell_left_out(scores, told)
    fits = opened.fit.fit(scores, aim, wanted, panels=panels, labels=labels)
    _require_fit(fits, explicit=bool(panels or labels))
    print_table(_COLUMNS, [_row(item, item.fit, manifest) for item in fits if item.fit])
    click.echo(NOTICE)
    if plot is not None:
        title = f"{manifest.name} {manifest.version} at site {site}: {aim.value} {wanted:g}"
        _write(plot, draw_thresholds(fits, title, NOTICE))
    if not save:
        click.echo("Nothing was changed; --save sets these operating points.")
        return
    source = {"csv": films.name, "csv_sha256": hashlib.sha256(films.read_bytes()).hexdigest()}
    saved = opened.fit.save(manifest, fits, site, operator(), source)
    click.echo(f"site {site}: {len(saved)} operating points of {manifest.name} {manifest.version}")
    _tell_if_not_in_force(opened, manifest, site)


def _wanted(sensitivity: float | None, specificity: float | None) -> tuple[Aim, float]:
    given = {Aim.SENSITIVITY: sensitivity, Aim.SPECIFICITY: specificity}
    wanted = [(aim, value) for aim, value in given.items() if value is not None]
    if len(wanted) != 1:
        raise Failure("pass one of --sensitivity and --specificity", USAGE)
    return wanted[0]


def _model_of(
    opened: Models,
    films: Path,
    site: str,
    asked: tuple[str | None, str | None, tuple[str, ...]],
) -> tuple[ModelManifest, LabelledFilms]:
    """The version to fit for, and the films with the truth of what it reads."""
    model, version, panels = asked
    in_force = opened.of_site.of_site(site).models
    among = in_force if version is None else opened.of_site.installed()
    candidates = [
        manifest
        for manifest in among
        if model in (None, manifest.name)
        and version in (None, manifest.version)
        and all(manifest.panel(panel) for panel in panels)
        and labels_with_points(manifest)
    ]
    if not candidates:
        wanted = " ".join(part for part in (model, version, *panels) if part)
        raise Failure(f"no installed model is, or reads, {wanted or 'anything with thresholds'}")
    labels = [key for manifest in candidates for key in labels_with_points(manifest)]
    truth = {key for film in read_labelled_films(films, labels).films for key in film.truth}
    told = [one for one in candidates if truth & set(labels_with_points(one))] or candidates
    if len(told) > 1:
        names = ", ".join(f"{one.name} {one.version}" for one in told)
        raise Failure(f"{films} tells the truth for {names}: name one with --model", USAGE)
    return told[0], read_labelled_films(films, labels_with_points(told[0]))


def _tell_left_out(scores: Scores, told: LabelledFilms) -> None:
    """Say on stderr what of the file had no part."""
    if told.unused:
        click.echo(f"columns left alone: {', '.join(told.unused)}", err=True)
    for name, reason in scores.left_out[:_LEFT_OUT]:
        click.echo(f"left out {name}: {reason}", err=True)
    if len(scores.left_out) > _LEFT_OUT:
        click.echo(f"left out {len(scores.left_out) - _LEFT_OUT} more", err=True)


def _require_fit(fits: Sequence[LabelFit], *, explicit: bool) -> None:
    """Say which labels have no threshold; end where none has, or one that was asked for has not.

    Raises:
        TooFewFilms: So it is.
    """
    refused = [f"{item.panel}/{item.label}: {item.refusal}" for item in fits if item.fit is None]
    if not fits:
        raise TooFewFilms("no film tells the truth of any label that was asked for")
    if refused and (explicit or len(refused) == len(fits)):
        raise TooFewFilms("; ".join(refused))
    for line in refused:
        click.echo(f"not fitted, {line}", err=True)


def _row(item: LabelFit, fitted: Fit, manifest: ModelManifest) -> tuple[str, ...]:
    panel = manifest.panel(item.panel)
    return (
        item.panel,
        item.label,
        _measured(fitted.threshold),
        f"{panel.operating_point(item.label).threshold:.3f}" if panel else "",
        _measured(fitted.sensitivity),
        _measured(fitted.specificity),
        _measured(fitted.unseen_sensitivity),
        _measured(fitted.unseen_specificity),
        _measured(fitted.auroc),
        str(fitted.films),
        str(fitted.positives),
        str(fitted.patients),
    )


def _measured(measured: Measured) -> str:
    return f"{measured.value:.3f} ({measured.low:.3f}-{measured.high:.3f})"


def _write(path: Path, picture: str) -> None:
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"drawn to {path}", err=True)


def _tell_if_not_in_force(opened: Models, manifest: ModelManifest, site: str) -> None:
    """Say what is left to do where the site does not read with what was set."""
    for version in opened.manage.at_site(site):
        if (version.manifest.name, version.manifest.version) != (manifest.name, manifest.version):
            continue
        owner = version.promotion.site if version.promotion else DEFAULT_SITE
        if not version.in_force or owner != site:
            click.echo(
                f"Not in force yet: `hilum models promote {manifest.name} {manifest.version} "
                f"--site {site}`"
            )
            return
    click.echo("In force.")
