"""Choosing the threshold of one label on films whose truth is known.

A threshold is chosen on all films, and its uncertainty told by a bootstrap over patients (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6): patients are drawn, not films, since
two films of one patient are not two witnesses. Each draw also leaves about a third of the patients
out; how the threshold that was chosen on the others does on them is what to expect of new films.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.application.thresholds.labelled_films import patients_of
from hilum.application.thresholds.resampling import (
    TOLERANCE,
    Aim,
    Draws,
    LabelledScores,
    SortedFilms,
    area,
)
from hilum.domain.errors import InvalidRequest, LabelNotSeparable, TooFewFilms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

RESAMPLES: Final = 2000
FEWEST_PATIENTS: Final = 20
"""Of either class: with fewer, one patient more or less moves the threshold anywhere."""

LOWEST_WANTED: Final = 0.5
"""Less is reached by calling images positive at random."""

LOWEST_AREA: Final = 0.6
"""The lower end of the interval of a label's AUROC must lie above it, as for shipped points.

At 0.5 nothing is told apart. At 0.6 a specificity of 0.95 leaves a sensitivity of about 0.10 (two
normal distributions of one width), so that a positive verdict says little. Below it an operating
point names hardly more ill people than healthy ones.
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SourceFit:
    """How a threshold does on the images of one source.

    Attributes:
        source: Its name.
        positives: Images of which the label is true.
        negatives: Images of which it is not.
        sensitivity: None without positives.
        specificity: None without negatives.
    """

    source: str
    positives: int
    negatives: int
    sensitivity: Measured | None
    specificity: Measured | None

    def evidence(self) -> Mapping[str, Any]:
        """Return it as JSON."""
        return {
            "positives": self.positives,
            "negatives": self.negatives,
            "sensitivity": _whole(self.sensitivity) if self.sensitivity else None,
            "specificity": _whole(self.specificity) if self.specificity else None,
        }


@dataclass(frozen=True, slots=True)
class Fit:
    """A threshold and how well it does.

    Attributes:
        aim: What was wanted.
        wanted: How much of it, in (0, 1), at the worst source.
        threshold: The probability at and above which the label is read as positive.
        sensitivity: On the images that chose the threshold.
        specificity: On the images that chose the threshold.
        unseen_sensitivity: On patients that had no part in choosing it.
        unseen_specificity: On patients that had no part in choosing it.
        auroc: Area under the curve of sensitivity over 1 - specificity, within sources.
        films: How many images.
        patients: How many patients.
        positives: Images of which the label is true.
        negatives: Images of which it is not.
        positive_patients: Patients with an image of which the label is true.
        negative_patients: Patients with an image of which it is not.
        resamples: Draws of the bootstrap.
        worst_source: The source that decided, or pooled ones joined by ``+``; empty where all
            images come from one.
        by_source: Each source by itself; empty where all images come from one.
    """

    aim: Aim
    wanted: float
    threshold: Measured
    sensitivity: Measured
    specificity: Measured
    unseen_sensitivity: Measured
    unseen_specificity: Measured
    auroc: Measured
    films: int
    patients: int
    positives: int
    negatives: int
    positive_patients: int
    negative_patients: int
    resamples: int
    worst_source: str = ""
    by_source: tuple[SourceFit, ...] = ()

    def evidence(self) -> Mapping[str, Any]:
        """Everything but the threshold itself, JSON-ready."""
        sources = {item.source: item.evidence() for item in self.by_source}
        return {
            "aim": self.aim.value,
            "wanted": self.wanted,
            "films": self.films,
            "patients": self.patients,
            "positives": self.positives,
            "negatives": self.negatives,
            "positive_patients": self.positive_patients,
            "negative_patients": self.negative_patients,
            "resamples": self.resamples,
            "threshold": _interval(self.threshold),
            "sensitivity": _interval(self.sensitivity),
            "specificity": _interval(self.specificity),
            "unseen_sensitivity": _whole(self.unseen_sensitivity),
            "unseen_specificity": _whole(self.unseen_specificity),
            "auroc": _whole(self.auroc),
            **({"worst_source": self.worst_source, "by_source": sources} if sources else {}),
        }


@dataclass(frozen=True, slots=True)
class Curve:
    """What every possible threshold would give, the highest threshold first; float64 [k] each."""

    thresholds: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]


def curve(films: LabelledScores) -> Curve:
    """Sensitivity and specificity at each probability that occurs."""
    sorted_films = SortedFilms(films)
    sensitivity, false_positives = sorted_films.rates(np.ones((1, films.scores.size)))
    return Curve(sorted_films.distinct, sensitivity[0], 1.0 - false_positives[0])


def fit(films: LabelledScores, aim: Aim, wanted: float, *, resamples: int = RESAMPLES) -> Fit:
    """Choose the threshold that gives what is wanted and costs least of the other.

    For a sensitivity that is the highest threshold, for a specificity the lowest one, that gives at
    least the wanted value at every source of these images. The same images give the same answer.

    Args:
        films: Images with their truth.
        aim: What is wanted.
        wanted: How much of it.
        resamples: Draws of the bootstrap.

    Raises:
        InvalidRequest: ``wanted`` is not between 0.5 and 1, or no threshold can give it.
        TooFewFilms: Too few patients of which the label is true, or is not.
        LabelNotSeparable: No source has images of both kinds.
    """
    if not LOWEST_WANTED <= wanted < 1.0:
        raise InvalidRequest(
            f"a {aim.value} of {wanted:g} cannot be asked for: 0.5 to less than 1 can"
        )
    _require_enough(films, aim, wanted)
    sorted_films = SortedFilms(films)
    chosen = sorted_films.choose(np.ones((1, films.scores.size)), aim, wanted)[0]
    if chosen > 1.0:
        raise InvalidRequest(
            f"no threshold gives a {aim.value} of {wanted:g}: "
            "too many films of which the label is not true have a probability of 1"
        )
    everything = np.ones((1, films.scores.size))
    auroc = float(area(sorted_films, everything)[0])
    if not math.isfinite(auroc):
        raise LabelNotSeparable("no source has images of which the label is true and is not")
    draws = Draws.of(sorted_films, aim, wanted, chosen, resamples)
    positives = int(films.truth.sum())
    at_chosen = films.scores >= chosen
    several = len(sorted_films.by_source) > 1
    return Fit(
        aim=aim,
        wanted=wanted,
        threshold=_measured(float(chosen), np.minimum(draws.threshold, 1.0)),
        sensitivity=_measured(float(at_chosen[films.truth].mean()), draws.sensitivity),
        specificity=_measured(float((~at_chosen)[~films.truth].mean()), draws.specificity),
        unseen_sensitivity=_measured(None, draws.unseen_sensitivity),
        unseen_specificity=_measured(None, draws.unseen_specificity),
        auroc=_measured(auroc, draws.auroc),
        films=films.scores.size,
        patients=len(np.unique(films.patients)),
        positives=positives,
        negatives=films.scores.size - positives,
        positive_patients=patients_of(films, of_kind=True),
        negative_patients=patients_of(films, of_kind=False),
        resamples=resamples,
        worst_source=sorted_films.worst_source(aim, wanted) if several else "",
        by_source=_by_source(sorted_films, float(chosen), draws) if several else (),
    )


def require_separable(fitted: Fit) -> None:
    """Refuse a label that the model hardly tells apart on these images.

    Any sensitivity can be had by calling enough images positive, so a threshold alone hides it.

    Raises:
        LabelNotSeparable: The interval of the AUROC reaches :data:`LOWEST_AREA`.
    """
    found = fitted.auroc
    if found.low <= LOWEST_AREA:
        within = " within sources" if fitted.by_source else ""
        raise LabelNotSeparable(
            f"AUROC{within} is {found.value:.3f} ({found.low:.3f} to {found.high:.3f}) on these "
            f"images, and the lower end of its interval must lie above {LOWEST_AREA:g}"
        )


def _by_source(films: SortedFilms, chosen: float, draws: Draws) -> tuple[SourceFit, ...]:
    above = films.scores >= chosen
    found = []
    for place, (source, mask) in enumerate(films.by_source.items()):
        on, off = mask & films.truth, mask & ~films.truth
        found.append(
            SourceFit(
                source=source,
                positives=int(on.sum()),
                negatives=int(off.sum()),
                sensitivity=_if_any(above[on], draws.source_sensitivity[:, place]),
                specificity=_if_any(~above[off], draws.source_specificity[:, place]),
            )
        )
    return tuple(found)


def _if_any(right: NDArray[np.bool_], draws: NDArray[np.float64]) -> Measured | None:
    return _measured(float(right.mean()), draws) if right.size else None


def _require_enough(films: LabelledScores, aim: Aim, wanted: float) -> None:
    # With n patients the finest step of a share is 1 / n: a coarser one cannot tell 0.99 from 1.
    fine = max(FEWEST_PATIENTS, math.ceil(1.0 / (1.0 - wanted) - TOLERANCE))
    for is_positive, wanted_of in ((True, Aim.SENSITIVITY), (False, Aim.SPECIFICITY)):
        fewest = fine if aim is wanted_of else FEWEST_PATIENTS
        count = patients_of(films, of_kind=is_positive)
        if count < fewest:
            told = "is true" if is_positive else "is not true"
            raise TooFewFilms(
                f"the label {told} of films of {count} patients, "
                f"a {aim.value} of {wanted:g} takes at least {fewest}"
            )


def _measured(value: float | None, draws: NDArray[np.float64]) -> Measured:
    """A value, or the mean of the draws, with the middle 95 % of the draws."""
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Measured(
        float(np.nanmean(draws)) if value is None else float(value), float(low), float(high)
    )


def _interval(measured: Measured) -> list[float]:
    return [round(measured.low, 6), round(measured.high, 6)]


def _whole(measured: Measured) -> list[float]:
    return [round(measured.value, 6), *_interval(measured)]
