"""Fitting thresholds on labelled films, as a person sees it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from hilum.application.resampling import Aim
from hilum.domain.access import DEFAULT_SITE
from hilum.domain.errors import ModelNotServed, TooFewFilms
from hilum.domain.site_models import labels_of
from hilum_cli.failure import USAGE, Failure
from hilum_cli.labelled_films import read_labelled_films
from hilum_cli.operator import operator
from hilum_cli.progress import progress
from hilum_cli.table import NOTICE, print_table
from hilum_cli.threshold_plot import draw_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hilum.application.fitting import Fit, Measured
    from hilum.application.labelled_films import Scores
    from hilum.application.use_cases.fit_thresholds import LabelFit
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
_CHANCE: Final = 0.5
"""AUROC of a coin."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fitted.

    Attributes:
        aim: ``sensitivity`` or ``specificity``.
        value: How much of it.
        site: Whose films these are.
        model: Model name, where the films tell the truth for several.
        version: Its version; None for the one in force.
        panels: Only these; empty for all.
        labels: Likewise.
    """

    aim: str
    value: float
    site: str
    model: str | None
    version: str | None
    panels: tuple[str, ...]
    labels: tuple[str, ...]


def fit_thresholds(
    opened: Models, films: Path, wanted: Wanted, plot: Path | None, *, save: bool
) -> None:
    """Read the films, print what was fitted, draw it, and set it if asked to.

    Raises:
        Failure: The films or the picture's path are wrong, or no model fits what is wanted.
        HilumError: Nothing can be fitted, or a part does not answer.
    """
    manifest, told = _model_of(opened, films, wanted)
    try:
        models = opened.of_site.of_site(wanted.site)
    except ModelNotServed:  # the version in force is gone: this fit is on the way to another
        models = opened.of_site.current()
    with progress("reading", len(told.films)) as advance:
        scores = opened.fit.scores(told.films, models, manifest, wanted.site, advance)
    _tell_left_out(scores, told)
    fits = opened.fit.fit(
        scores, Aim(wanted.aim), wanted.value, panels=wanted.panels, labels=wanted.labels
    )
    _require_fit(fits, explicit=bool(wanted.panels or wanted.labels))
    _tell_chance(fits)
    print_table(_COLUMNS, [_row(item, item.fit, manifest) for item in fits if item.fit])
    click.echo(NOTICE)
    name = f"{manifest.name} {manifest.version}"
    if plot is not None:
        title = f"{name} at site {wanted.site}: {wanted.aim} {wanted.value:g}"
        _write(plot, draw_thresholds(fits, title, NOTICE))
    if not save:
        click.echo("Nothing was changed; --save sets these operating points.")
        return
    source = {"csv": films.name, "csv_sha256": hashlib.sha256(films.read_bytes()).hexdigest()}
    saved = opened.fit.save(manifest, fits, wanted.site, operator(), source)
    click.echo(f"site {wanted.site}: {len(saved)} operating points of {name}")
    _tell_if_not_in_force(opened, manifest, wanted.site)


def _model_of(opened: Models, films: Path, wanted: Wanted) -> tuple[ModelManifest, LabelledFilms]:
    """The version to fit for, and the films with the truth of what it reads."""
    among = [
        version.manifest
        for version in opened.manage.at_site(wanted.site)
        if wanted.version is not None
    ] or opened.of_site.of_site(wanted.site).models
    candidates = [
        manifest
        for manifest in among
        if wanted.model in (None, manifest.name)
        and wanted.version in (None, manifest.version)
        and all(manifest.panel(panel) for panel in wanted.panels)
        and labels_of(manifest)
    ]
    if not candidates:
        asked = " ".join(part for part in (wanted.model, wanted.version, *wanted.panels) if part)
        raise Failure(f"no installed model is, or reads, {asked or 'anything with thresholds'}")
    labels = [key for manifest in candidates for key in labels_of(manifest)]
    truth = {key for film in read_labelled_films(films, labels).films for key in film.truth}
    told = [one for one in candidates if truth & set(labels_of(one))] or candidates
    if len(told) > 1:
        names = ", ".join(f"{one.name} {one.version}" for one in told)
        raise Failure(f"{films} tells the truth for {names}: name one with --model", USAGE)
    return told[0], read_labelled_films(films, labels_of(told[0]))


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


def _tell_chance(fits: Sequence[LabelFit]) -> None:
    """Say on stderr which labels the model does not tell apart on these films.

    Any sensitivity can be had by calling enough films positive, so the threshold alone hides it.
    """
    for item in fits:
        if item.fit is not None and item.fit.auroc.low <= _CHANCE:
            click.echo(
                f"no better than chance on these films: {item.panel}/{item.label}, "
                f"AUROC {_measured(item.fit.auroc)}",
                err=True,
            )


def _row(item: LabelFit, fitted: Fit, manifest: ModelManifest) -> tuple[str, ...]:
    panel = manifest.panel(item.panel)
    now = panel.operating_point(item.label) if panel else None
    return (
        item.panel,
        item.label,
        _measured(fitted.threshold),
        f"{now.threshold:.3f}" if now else "",
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
