"""Fit a site's operating points on films of the site whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hilum.application.fitting import (
    FEWEST_PATIENTS,
    Curve,
    Fit,
    curve,
    fit,
    require_separable,
)
from hilum.application.flags import Flags, flags_of
from hilum.application.labelled_films import (
    LabelledFilm,
    ScoredFilm,
    Scores,
    probabilities_of,
    under_label,
)
from hilum.application.model_events import points_events
from hilum.application.read_film import read_film
from hilum.domain.errors import (
    HilumError,
    InvalidRequest,
    LabelNotSeparable,
    NotFound,
    Permanent,
    TooFewFilms,
    Transient,
)
from hilum.domain.model import ModelSet, OperatingPoint
from hilum.domain.site_models import BEYOND_SCOPE, Origin, SiteOperatingPoint, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.resampling import Aim
    from hilum.domain.finding import PanelReading
    from hilum.domain.job import Job
    from hilum.domain.model import ModelManifest


@dataclass(frozen=True, slots=True)
class LabelFit:
    """The outcome of one label.

    Attributes:
        panel: Panel name.
        label: Label name.
        fit: The threshold; None where it could not be fitted.
        curve: What every threshold would have given; None where there was too little to ask.
        refusal: Why there is no threshold, or None.
    """

    panel: str
    label: str
    fit: Fit | None
    curve: Curve | None
    refusal: TooFewFilms | LabelNotSeparable | None = None


@dataclass(frozen=True, slots=True)
class Flagged:
    """What is flagged on labelled images.

    Attributes:
        now: At the operating points as they are.
        then: With the fitted ones in their place.
    """

    now: list[Flags]
    then: list[Flags]


class FitThresholds:
    """Reads labelled films, fits operating points and writes them down when told to."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        clock: Clock,
        reading: Callable[[], tuple[FilmReader, InferenceEngine]],
    ) -> None:
        """Use the rows and, where films come as files, a reader and an engine.

        Args:
            unit_of_work: Holds results, and takes operating points.
            clock: The time.
            reading: Gives the reader and the engine; called when the first file has to be read.
        """
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._reading = reading

    def scores(
        self,
        films: Sequence[LabelledFilm],
        models: ModelSet,
        manifest: ModelManifest,
        site: str,
        advance: Callable[[], None] = lambda: None,
    ) -> Scores:
        """Probabilities that a version gives to films.

        A film that is a job of the site is not read again: its result counts if this version gave
        it. A file is read as a worker reads it, gate included.

        Args:
            films: With their truth.
            models: What the site reads with; ``manifest`` takes the place of its model there.
            manifest: The version.
            site: Whose films and jobs.
            advance: Called after each film.

        Raises:
            Transient: A part does not answer.
            Permanent: The installation is wrong.
        """
        others = tuple(model for model in models.models if model.name != manifest.name)
        used = ModelSet((*others, manifest), models.ensemble)
        scored: list[ScoredFilm] = []
        left_out: list[tuple[str, str]] = []
        for film in films:
            try:
                readings = self._readings(film, used, site)
                beyond = frozenset(one.panel for one in readings if one.scope_reason)
                child = frozenset(one.panel for one in readings if one.child)
                given = probabilities_of(readings, manifest)
                scored.append(ScoredFilm(film, given, beyond, child))
            except (Transient, Permanent):
                raise
            except HilumError as error:
                left_out.append((film.name, error.detail))
            advance()
        return Scores(manifest, tuple(scored), tuple(left_out))

    def fit(
        self,
        scores: Scores,
        aim: Aim,
        wanted: float,
        *,
        panels: Collection[str] = (),
        labels: Collection[str] = (),
    ) -> Sequence[LabelFit]:
        """Fit each label of the model that the films tell the truth of.

        Args:
            scores: Of the films.
            aim: Whether sensitivity or specificity is wanted.
            wanted: How much of it.
            panels: Only these panels; empty for all.
            labels: Only these labels; empty for all.

        Raises:
            InvalidRequest: ``wanted`` cannot be asked for.
        """
        told = {key for film in scores.scored for key in film.film.truth}
        return [
            _fit(scores, (panel, label), aim, wanted)
            for panel, label in labels_of(scores.manifest)
            if (not panels or panel in panels)
            and (not labels or label in labels)
            and (panel, label) in told
        ]

    def flagged(self, scores: Scores, fits: Iterable[LabelFit]) -> Flagged:
        """Count what is flagged on the images, before anything is saved.

        Args:
            scores: Of the images, with the manifest as the site has it.
            fits: Those without a threshold change nothing.
        """
        fitted = {
            (item.panel, item.label): OperatingPoint(item.label, item.fit.threshold.value)
            for item in fits
            if item.fit is not None
        }
        then = _with_points(scores.manifest, fitted)
        return Flagged(flags_of(scores.scored, scores.manifest), flags_of(scores.scored, then))

    def save(
        self,
        manifest: ModelManifest,
        fits: Iterable[LabelFit],
        site: str,
        actor: str,
        source: Mapping[str, str],
        *,
        widened_by: Scores | None = None,
    ) -> Sequence[SiteOperatingPoint]:
        """Put fitted operating points in force at a site, at once if the site reads with the model.

        A point of an experimental label switches the label on.

        Args:
            manifest: The version they were fitted for.
            fits: Those without a threshold are left out.
            site: The site.
            actor: Who decides, for the audit log.
            source: Facts about the films, kept with the evidence.
            widened_by: The films, where the points are to hold beyond their panels' scopes.

        Raises:
            InvalidRequest: A scope is to be widened, and no fitted panel has one.
            TooFewFilms: A scope is to be widened, and too few of the films lie outside it.
        """
        now = self._clock.now()
        fitted = [item for item in fits if item.fit is not None]
        beyond = {} if widened_by is None else _beyond_scope(widened_by, manifest, fitted)
        points = [
            SiteOperatingPoint(
                site=site,
                model=manifest.name,
                version=manifest.version,
                panel=item.panel,
                point=_point(item.label, item.fit, site),
                origin=Origin.FITTED,
                set_by=actor,
                set_at=now,
                evidence={
                    **item.fit.evidence(),
                    **source,
                    **beyond.get((item.panel, item.label), {}),
                },
            )
            for item in fitted
            if item.fit is not None
        ]
        with self._unit_of_work.begin() as transaction:
            transaction.operating_points.put(points)
            transaction.audit.append(points_events(points))
        return points

    def _readings(self, film: LabelledFilm, models: ModelSet, site: str) -> Sequence[PanelReading]:
        if film.job_id is None and film.sop_instance_uid is None:
            return self._read(film, models)
        with self._unit_of_work.begin(write=False) as transaction:
            job = _job(transaction, film, site)
            analysis = transaction.results.get(job.id)
            gate = analysis.gate if analysis else transaction.results.gate(job.id)
        panels = analysis.panels if analysis else ()
        return panels if gate is None else (gate, *panels)

    def _read(self, film: LabelledFilm, models: ModelSet) -> Sequence[PanelReading]:
        if film.content is None:
            raise NotFound("neither a job, nor a SOP Instance UID, nor a file")
        reader, engine = self._reading()
        read = read_film(reader.read(film.content()), models, engine)
        return read.panels if read.gate is None else (read.gate, *read.panels)


def _fit(scores: Scores, key: tuple[str, str], aim: Aim, wanted: float) -> LabelFit:
    labelled = under_label(scores.scored, key)
    told = None
    try:
        fitted = fit(labelled, aim, wanted)
        told = curve(labelled)
        require_separable(fitted)
    except (TooFewFilms, LabelNotSeparable) as error:
        return LabelFit(*key, None, told, error)
    return LabelFit(*key, fitted, told)


def _with_points(
    manifest: ModelManifest, points: Mapping[tuple[str, str], OperatingPoint]
) -> ModelManifest:
    """The manifest with points in the place of its own, and beside them."""
    panels = []
    for panel in manifest.panels:
        found = [
            points.get((panel.name, label.name), panel.operating_point(label.name))
            for label in panel.labels
        ]
        kept = tuple(point for point in found if point is not None)
        panels.append(replace(panel, operating_points=kept))
    return replace(manifest, panels=tuple(panels))


def _beyond_scope(
    scores: Scores, manifest: ModelManifest, fits: Sequence[LabelFit]
) -> dict[tuple[str, str], dict[str, Any]]:
    """What is kept with points that hold beyond their panels' scopes, by (panel, label)."""
    found = {}
    for item in fits:
        panel = manifest.panel(item.panel)
        if panel is None or not panel.scope.bounds:
            continue
        outside = [one for one in scores.scored if item.panel in one.beyond]
        labelled = under_label(outside, (item.panel, item.label))
        for truth, words in ((True, "with"), (False, "without")):
            count = len(set(labelled.patients[labelled.truth == truth].tolist()))
            if count < FEWEST_PATIENTS:
                raise TooFewFilms(
                    f"{item.panel}/{item.label}: {count} patients {words} the label have images "
                    f"outside the panel's scope, at least {FEWEST_PATIENTS} are needed to widen it"
                )
        count = int(labelled.scores.size)
        found[item.panel, item.label] = {BEYOND_SCOPE: True, "films_beyond_scope": count}
    if not found:
        raise InvalidRequest("no operating point was fitted for a panel whose scope has bounds")
    return found


def _job(transaction: Transaction, film: LabelledFilm, site: str) -> Job:
    if film.job_id is not None:
        job = transaction.jobs.get(film.job_id)
        if job is None or job.site != site:
            raise NotFound(f"no job {film.job_id} at site {site}")
        return job
    job = transaction.jobs.newest_of_film(site, film.sop_instance_uid or "")
    if job is None:
        raise NotFound(f"no film with this SOP Instance UID was read at site {site}")
    return job


def _point(label: str, fitted: Fit, site: str) -> OperatingPoint:
    return OperatingPoint(
        label=label,
        threshold=fitted.threshold.value,
        sensitivity=round(fitted.sensitivity.value, 6),
        specificity=round(fitted.specificity.value, 6),
        fitted_on=_fitted_on(fitted, site),
    )


def _fitted_on(fitted: Fit, site: str) -> str:
    """Which images chose a point, from what was counted."""
    text = (
        f"{fitted.films} images of {fitted.patients} patients of site {site} "
        f"({fitted.positives} images of {fitted.positive_patients} patients with the label, "
        f"{fitted.negatives} of {fitted.negative_patients} without it), "
        f"for a {fitted.aim.value} of {fitted.wanted:g}"
    )
    if not fitted.by_source:
        return text
    named = ", ".join(item.source for item in fitted.by_source)
    return f"{text} at the worst source ({fitted.worst_source}) of {named}"
