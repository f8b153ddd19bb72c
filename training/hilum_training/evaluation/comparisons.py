"""Questions put to the films of one source: the figures that a report leads with.

Between sources, the hospital gives the label away; within one it is the same on both sides. Age,
projection and the film's shape may still differ there (the aspect ratio alone tells normal films of
Kermany from others well), and a source may be a collection from many hospitals, as cohen is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.evaluation.by_source import NOT_MEASURED
from hilum_training.evaluation.operating_points import best_accuracy
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap
from hilum_training.population.probe import children_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import ComparisonRecipe

TRIAGE_SENSITIVITY: Final = 0.9
"""At which the WHO target for a triage test of tuberculosis asks for a specificity of 0.7."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison's films.

    Attributes:
        answers: N films of both sides.
        scores: float64 [N], calibrated mass on the positive outputs among both sides' outputs.
        positive: bool [N].
    """

    answers: Answers
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]

    @property
    def two_sided(self) -> bool:
        """Whether both sides have a film."""
        return bool(self.positive.any() and not self.positive.all())


def ask(comparison: ComparisonRecipe, answers: Answers, calibration: Calibration) -> Asked:
    """A comparison's films and scores."""
    sides = (*comparison.positive, *comparison.negative)

    def belongs(film: Film) -> bool:
        return film.source == comparison.source and recorded_kind(film) in sides

    part = answers.where(belongs)
    positive = [recorded_kind(film) in comparison.positive for film in part.films]
    return Asked(
        part,
        comparison_scores(comparison, part, calibration),
        np.array(positive, dtype=bool),
    )


def comparison_scores(
    comparison: ComparisonRecipe, part: Answers, calibration: Calibration
) -> NDArray[np.float64]:
    """Mass on the positive outputs among both sides' outputs, float64 [N]."""
    chances = calibration.probabilities(part.logits)
    names = part.panel.names
    on, off = (
        chances[:, [names.index(label) for label in outputs]].sum(axis=1)
        for outputs in (comparison.positive_outputs, comparison.negative_outputs)
    )
    return np.asarray(on / np.maximum(on + off, 1e-12))


def compare(
    comparison: ComparisonRecipe,
    validation: Answers,
    test: Answers,
    calibration: Calibration,
    thresholds: Mapping[str, float],
    child_thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any] | None:
    """The figures of one question, or None when one side has no test film.

    Args:
        comparison: The question.
        validation: Choose the threshold of the accuracy, within the same source.
        test: Measured.
        calibration: Of the panel.
        thresholds: Shipped operating point of each label that has one.
        child_thresholds: Those for images of small children, of labels where they differ.

    Returns:
        Beside the areas: ``shipped_...`` at the operating points of the positive outputs, and
        ``named_...`` for the labels that the panel names, experimental ones among them. Neither
        is measured where no positive output has an operating point.
    """
    asked = ask(comparison, test, calibration)
    if not asked.two_sided:
        return None
    scores, positive = asked.scores, asked.positive
    draws = PatientBootstrap(asked.answers.clusters)
    row: dict[str, Any] = {
        "question": comparison.name,
        "source": comparison.source,
        "positive_films": int(positive.sum()),
        "negative_films": int((~positive).sum()),
        "auroc": draws.area(scores, positive),
        "auprc": draws.average_precision(scores, positive),
    }
    row |= _at_best_accuracy(ask(comparison, validation, calibration), asked, draws)
    row["specificity_at_90_sensitivity"] = draws.specificity_at(
        scores, positive, TRIAGE_SENSITIVITY
    )
    own = child_thresholds or {}
    judged = (
        ("shipped", _called(comparison, asked.answers, calibration, thresholds, own)),
        ("named", _named(comparison, asked.answers, calibration, thresholds, own)),
    )
    pointless = not set(thresholds) & set(comparison.positive_outputs)
    for how, called in judged:
        for figure, hits, among in (
            ("sensitivity", called, positive),
            ("specificity", ~called, ~positive),
        ):
            row[f"{how}_{figure}"] = dict(NOT_MEASURED) if pointless else draws.share(hits, among)
    return row


def _at_best_accuracy(chosen_on: Asked, asked: Asked, draws: PatientBootstrap) -> dict[str, Any]:
    """Accuracy at the threshold that was best on validation films of the same source."""
    if not chosen_on.two_sided:
        return {"threshold": None, "accuracy": None}
    threshold = best_accuracy(chosen_on.scores, chosen_on.positive)
    right = (asked.scores >= threshold) == asked.positive
    return {"threshold": threshold, "accuracy": draws.share(right)}


def _called(
    comparison: ComparisonRecipe,
    part: Answers,
    calibration: Calibration,
    thresholds: Mapping[str, float],
    own: Mapping[str, float],
) -> NDArray[np.bool_]:
    """Films on which any positive output reaches its shipped operating point, bool [N]."""
    chances = calibration.probabilities(part.logits)
    names, children = part.panel.names, children_of(part.films)
    reached = np.zeros(len(chances), dtype=bool)
    for label in comparison.positive_outputs:
        if label in thresholds:
            bounds = np.where(children, own.get(label, thresholds[label]), thresholds[label])
            reached |= chances[:, names.index(label)] >= bounds
    return reached


def _named(
    comparison: ComparisonRecipe,
    part: Answers,
    calibration: Calibration,
    thresholds: Mapping[str, float],
    own: Mapping[str, float],
) -> NDArray[np.bool_]:
    """Films on which the panel names a positive output, bool [N]."""
    points = PanelPoints.of_recipe(part.panel, thresholds, own)
    chances = calibration.probabilities(part.logits)
    named = points.named(chances, experimental=True, children=children_of(part.films))
    places = [part.panel.names.index(label) for label in comparison.positive_outputs]
    return np.asarray(named[:, places].any(axis=1))
