"""Films whose truth is known, and the probabilities that a version of a model gave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hilum.application.thresholds.resampling import LabelledScores
from hilum.domain.errors import NotFound, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from hilum.domain.finding import PanelReading
    from hilum.domain.model import ModelManifest

    Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LabelledFilm:
    """A film of the site and what is true of it.

    It is found by one of job, SOP Instance UID and content, in this order.

    Attributes:
        name: For people: what the site calls it.
        patient: The same text for films of the same patient.
        truth: By (panel, label); what is not known is not there.
        job_id: Its job.
        sop_instance_uid: (0008,0018); the site's newest job of it is taken.
        content: Gives the file's bytes.
        source: Where it comes from, e.g. a ward or a device; empty where nothing says.
    """

    name: str
    patient: str
    truth: Mapping[Key, bool]
    job_id: UUID | None = None
    sop_instance_uid: str | None = None
    content: Callable[[], bytes] | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ScoredFilm:
    """A film with what a version of a model gave for it.

    Attributes:
        film: With its truth.
        probabilities: By (panel, label).
        beyond: Why it lies outside a panel's scope, by panel; only of panels that it lies outside.
        child: Panels that judge it by their operating points for small children.
    """

    film: LabelledFilm
    probabilities: Mapping[Key, float]
    beyond: Mapping[str, str] = field(default_factory=dict)
    child: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scores:
    """Films with the probabilities of one version of a model.

    Attributes:
        manifest: The version.
        scored: Films that it read.
        left_out: Name and reason of each film that it did not.
    """

    manifest: ModelManifest
    scored: tuple[ScoredFilm, ...]
    left_out: tuple[tuple[str, str], ...]


def probabilities_of(
    readings: Sequence[PanelReading], manifest: ModelManifest
) -> Mapping[Key, float]:
    """By (panel, label), of what this version gave.

    Raises:
        NotFound: Another version of the model read the film.
        Rejected: None did: the gate stopped the film, or its job is not finished.
    """
    found = {
        (reading.panel, finding.label): finding.probability
        for reading in readings
        if (reading.model, reading.version) == (manifest.name, manifest.version)
        for finding in reading.findings
    }
    if found:
        return found
    others = sorted({f"{r.model} {r.version}" for r in readings if r.model == manifest.name})
    if others:
        raise NotFound(f"read by {others[0]}, not by {manifest.version}: send it again")
    raise Rejected("not read: stopped at the gate, or not finished")


def under_label(scored: Iterable[ScoredFilm], key: Key) -> LabelledScores:
    """The films whose truth and probability are known of one (panel, label)."""
    counted = [item for item in scored if key in item.film.truth and key in item.probabilities]
    # By name, so that the order of the rows changes nothing.
    patients = sorted({item.film.patient for item in counted})
    numbers = {patient: number for number, patient in enumerate(patients)}
    return LabelledScores(
        scores=np.array([item.probabilities[key] for item in counted], np.float64),
        truth=np.array([item.film.truth[key] for item in counted], np.bool_),
        patients=np.array([numbers[item.film.patient] for item in counted], np.int64),
        sources=np.array([item.film.source for item in counted], np.str_),
    )


def patients_of(films: LabelledScores, *, of_kind: bool) -> int:
    """Count the patients with an image of which a label is true, or is not."""
    return len(np.unique(films.patients[films.truth == of_kind]))
