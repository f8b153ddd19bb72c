"""Fitting thresholds on labelled films, as a person sees it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from hilum.application.thresholds.resampling import Aim
from hilum.domain.errors import ModelNotServed, TooFewFilms
from hilum.domain.model import PanelKind, Rank
from hilum.domain.site_models import labels_of
from hilum.domain.verdict import reason_text
from hilum_cli.failure import USAGE, Failure
from hilum_cli.in_force import tell_if_in_force
from hilum_cli.labelled_films import read_labelled_films
from hilum_cli.local_principal import local_principal
from hilum_cli.progress import progress
from hilum_cli.table import NOTICE, print_prose, print_table
from hilum_cli.threshold_plot import draw_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hilum.application.thresholds.fit_thresholds import Flagged
    from hilum.application.thresholds.fitting import Fit, Measured
    from hilum.application.thresholds.flags import Flags
    from hilum.application.thresholds.label_fit import LabelFit
    from hilum.application.thresholds.labelled_films import Scores
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
    "images",
    "positive",
    "patients",
)
_BY_SOURCE: Final = (
    "panel", "label", "source", "with it", "without it", "sensitivity", "specificity",
)  # fmt: skip
_FLAGGED: Final = (
    "images", "number", "flags now", "flags then", "without any now", "without any then",
)  # fmt: skip
_LEFT_OUT: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fitted.

    Attributes:
        aim: ``sensitivity`` or ``specificity``.
        value: How much of it.
        site: Whose films these are.
        model: Model name, where the films tell the truth for several.
        version: Its version; None for the active one.
        panels: Only these; empty for all.
        labels: Only these; empty for all.
        save: Make what was fitted active.
        beyond_scope: Make it active outside the panels' scopes, too.
    """

    aim: str
    value: float
    site: str
    model: str | None
    version: str | None
    panels: tuple[str, ...]
    labels: tuple[str, ...]
    save: bool = False
    beyond_scope: bool = False


def fit_thresholds(opened: Models, films: Path, wanted: Wanted, plot: Path | None) -> None:
    """Read the films, print what was fitted and what it flags, draw it, and set it if asked to.

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
        scores,
        Aim(wanted.aim),
        wanted.value,
        panels=wanted.panels,
        labels=wanted.labels,
        beyond_scope=wanted.beyond_scope,
    )
    _require_fit(fits, explicit=bool(wanted.panels or wanted.labels))
    _print_fits(fits)
    if any(panel.kind is not PanelKind.GATE for panel in manifest.panels):
        _print_flagged(opened.fit.flagged(scores, fits))
    click.echo(NOTICE)
    name = f"{manifest.name} {manifest.version}"
    if plot is not None:
        title = f"{name} at site {wanted.site}: {wanted.aim} {wanted.value:g}"
        _write(plot, draw_thresholds(fits, title, NOTICE))
    if experimental := _experimental(fits, manifest):
        print_prose(
            f"Experimental: {', '.join(experimental)}. Saving an operating point of such a label "
            f"switches it on at site {wanted.site}."
        )
    if not wanted.save:
        click.echo("Nothing was changed; --save sets these operating points.")
        return
    _save(opened, scores, fits, films, wanted)


def _save(
    opened: Models, scores: Scores, fits: Sequence[LabelFit], films: Path, wanted: Wanted
) -> None:
    manifest, site = scores.manifest, wanted.site
    source = {"csv": films.name, "csv_sha256": hashlib.sha256(films.read_bytes()).hexdigest()}
    saved = opened.fit.save(manifest, fits, site, local_principal(), source)
    click.echo(f"site {site}: {len(saved)} operating points of {manifest.name} {manifest.version}")
    if switched_on := _experimental(fits, manifest):
        print_prose(f"Switched on at site {site}: {', '.join(switched_on)}.")
    for point in saved:
        if point.point.beyond_scope:
            causes = ", ".join(map(reason_text, point.point.beyond_scope))
            print_prose(
                f"{'/'.join(point.key)} is active beyond the scope of the panel at site {site}, "
                f"for images that are {causes}."
            )
    tell_if_in_force(opened, manifest, site)


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
        TooFewFilms: Too few images tell the truth.
        LabelNotSeparable: The model hardly tells a label apart on them.
    """
    refused = [(item, item.refusal) for item in fits if item.refusal is not None]
    lines = [f"{item.panel}/{item.label}: {refusal.detail}" for item, refusal in refused]
    if not fits:
        raise TooFewFilms("no film tells the truth of any label that was asked for")
    if refused and (explicit or len(refused) == len(fits)):
        raise type(refused[0][1])("; ".join(lines))
    for line in lines:
        click.echo(f"not fitted, {line}", err=True)


def _print_fits(fits: Sequence[LabelFit]) -> None:
    fitted = [(item, item.fit) for item in fits if item.fit is not None]
    print_table(_COLUMNS, [_row(item, fit) for item, fit in fitted])
    for item, _ in fitted:
        if item.for_children:
            click.echo(f"{item.panel}/{item.label}: all images are of small children.")
        left_out = ", ".join(
            f"{count} {cause.replace('_', ' ')}" for cause, count in (item.left_out or {}).items()
        )
        if left_out:
            print_prose(f"{item.panel}/{item.label}: images left out: {left_out}.")
    by_source = [
        (
            item.panel,
            item.label,
            f"{one.source}{' (decides)' if one.source == fit.worst_source else ''}",
            str(one.positives),
            str(one.negatives),
            _measured(one.sensitivity) if one.sensitivity else "",
            _measured(one.specificity) if one.specificity else "",
        )
        for item, fit in fitted
        for one in fit.by_source
    ]
    if by_source:
        click.echo()
        print_table(_BY_SOURCE, by_source)


def _print_flagged(flagged: Flagged) -> None:
    """Print what is flagged on the normal and the ill images, now and with what was fitted."""
    click.echo()
    now = {(one.ill, one.source): one for one in flagged.now}
    rows = [
        (
            f"{'ill' if one.ill else 'normal'}{f', {one.source}' if one.source else ''}",
            str(one.images),
            _flags_an_image(now[one.ill, one.source]),
            _flags_an_image(one),
            _without(now[one.ill, one.source]),
            _without(one),
        )
        for one in flagged.then
    ]
    print_table(_FLAGGED, rows)
    print_prose(
        "Normal: no abnormal label of the CSV is true, and no normal one is false. Flags: positive "
        "abnormal labels, over all labels of the model."
    )
    if not any(not one.ill for one in flagged.then):
        click.echo(
            "No normal image in the CSV: what would be flagged on healthy people is not known."
        )


def _flags_an_image(flags: Flags) -> str:
    return f"{flags.flags / flags.images:.2f}"


def _without(flags: Flags) -> str:
    return f"{flags.without} of {flags.images} ({flags.without / flags.images:.3f})"


def _experimental(fits: Sequence[LabelFit], manifest: ModelManifest) -> list[str]:
    """Which fitted labels are experimental."""
    ranks = {
        (panel.name, label.name): label.rank for panel in manifest.panels for label in panel.labels
    }
    return [
        f"{item.panel}/{item.label}"
        for item in fits
        if item.fit is not None and ranks[item.panel, item.label] is Rank.EXPERIMENTAL
    ]


def _row(item: LabelFit, fitted: Fit) -> tuple[str, ...]:
    return (
        item.panel,
        item.label,
        _measured(fitted.threshold),
        "" if item.now is None else f"{item.now:.3f}",
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
