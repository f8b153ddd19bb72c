"""Fit a site's operating points on films of the site whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hilum.application.analysis.pipeline import analyse
from hilum.application.intake.raw_images import read_for
from hilum.application.models.model_events import points_events
from hilum.application.thresholds.flags import Flags, flags_of
from hilum.application.thresholds.label_fit import fit_label
from hilum.application.thresholds.labelled_films import (
    LabelledFilm,
    ScoredFilm,
    Scores,
    probabilities_of,
)
from hilum.domain.errors import HilumError, InvalidRequest, NotFound, Permanent, Transient
from hilum.domain.model import ModelSet, OperatingPoint
from hilum.domain.principal import Permission
from hilum.domain.site_models import Origin, SiteOperatingPoint, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from hilum.application.ports.clock import Clock
    from hilum.application.ports.film_reader import FilmReader
    from hilum.application.ports.inference import InferenceEngine
    from hilum.application.ports.unit_of_work import Transaction, UnitOfWork
    from hilum.application.thresholds.label_fit import LabelFit
    from hilum.application.thresholds.resampling import Aim
    from hilum.domain.finding import PanelReading
    from hilum.domain.job import Job
    from hilum.domain.model import ModelManifest
    from hilum.domain.principal import Principal


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
                beyond = {one.panel: one.scope_reason for one in readings if one.scope_reason}
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
        beyond_scope: bool = False,
    ) -> Sequence[LabelFit]:
        """Fit each label of the model that the films tell the truth of.

        Args:
            scores: Of the films.
            aim: Whether sensitivity or specificity is wanted.
            wanted: How much of it.
            panels: Only these panels; empty for all.
            labels: Only these labels; empty for all.
            beyond_scope: The points are to hold beyond their panels' scopes, too; see
                :func:`hilum.application.thresholds.label_fit.fit_label`.

        Raises:
            InvalidRequest: ``wanted`` cannot be asked for, or a scope is to be widened and no image
                lies outside that of a fitted panel.
        """
        told = {key for film in scores.scored for key in film.film.truth}
        fits = [
            fit_label(scores, (panel, label), aim, wanted, beyond_scope=beyond_scope)
            for panel, label in labels_of(scores.manifest)
            if (not panels or panel in panels)
            and (not labels or label in labels)
            and (panel, label) in told
        ]
        if beyond_scope and not any(item.beyond for item in fits):
            raise InvalidRequest("no image lies outside the scope of a panel that is fitted")
        return fits

    def flagged(self, scores: Scores, fits: Iterable[LabelFit]) -> Flagged:
        """Count what is flagged on the images, before anything is saved.

        Args:
            scores: Of the images, with the manifest as the site has it.
            fits: Those without a threshold change nothing.
        """
        fitted = {
            (item.panel, item.label): point
            for item in fits
            if (point := item.point("")) is not None
        }
        then = _with_points(scores.manifest, fitted)
        return Flagged(flags_of(scores.scored, scores.manifest), flags_of(scores.scored, then))

    def save(
        self,
        manifest: ModelManifest,
        fits: Iterable[LabelFit],
        site: str,
        principal: Principal,
        source: Mapping[str, str],
    ) -> Sequence[SiteOperatingPoint]:
        """Make fitted operating points active at a site, at once if the site reads with the model.

        A point of an experimental label switches the label on.

        Args:
            manifest: The version they were fitted for.
            fits: Those without a threshold are left out.
            site: The site.
            principal: Who decides, for the audit log.
            source: Facts about the films, kept with the evidence.

        Raises:
            NotPermitted: The principal does not manage the models of the site.
        """
        principal.require(Permission.MANAGE_MODELS, site)
        now = self._clock.now()
        points = [
            SiteOperatingPoint(
                site=site,
                model=manifest.name,
                version=manifest.version,
                panel=item.panel,
                point=point,
                origin=Origin.FITTED,
                set_by=principal.id,
                set_at=now,
                evidence={**item.evidence(), **source},
            )
            for item in fits
            if (point := item.point(site)) is not None
        ]
        with self._unit_of_work.begin() as transaction:
            transaction.operating_points.put(points)
            transaction.audit.append(points_events(points, principal))
        return points

    def _readings(self, film: LabelledFilm, models: ModelSet, site: str) -> Sequence[PanelReading]:
        if film.job_id is None and film.sop_instance_uid is None:
            return self._read(film, models, site)
        with self._unit_of_work.begin(write=False) as transaction:
            job = _job(transaction, film, site)
            analysis = transaction.results.get(job.id)
            gate = analysis.gate if analysis else transaction.results.gate(job.id)
        panels = analysis.panels if analysis else ()
        return panels if gate is None else (gate, *panels)

    def _read(self, film: LabelledFilm, models: ModelSet, site: str) -> Sequence[PanelReading]:
        if film.content is None:
            raise NotFound("neither a job, nor a SOP Instance UID, nor a file")
        reader, engine = self._reading()
        image = read_for(site, reader, film.content(), self._unit_of_work)
        read = analyse(image, models, engine)
        return read.panels if read.gate is None else (read.gate, *read.panels)


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
