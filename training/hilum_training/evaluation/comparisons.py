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
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.evaluation.verdicts import PanelPoints
    from hilum_training.films.pack import Film
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import ComparisonRecipe
    from hilum_training.population.inside import Population

TRIAGE_SENSITIVITY: Final = 0.9
"""At which the WHO target for a triage test of tuberculosis asks for a specificity of 0.7."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison's films.

    Attributes:
        answers: N films of both sides.
        scores: float64 [N], calibrated mass on the positive outputs among both sides' outputs.
        positive: bool [N].
        at: int64 [N], their places among the films that were looked through.
    """

    answers: Answers
    scores: NDArray[np.float64]
    positive: NDArray[np.bool_]
    at: NDArray[np.int64]

    @property
    def two_sided(self) -> bool:
        """Whether both sides have a film."""
        return bool(self.positive.any() and not self.positive.all())


def ask(comparison: ComparisonRecipe, answers: Answers, calibration: Calibration) -> Asked:
    """A comparison's films and scores."""
    at, positive = sides(comparison, answers.films)
    part = answers.take(at)
    chances = calibration.probabilities(part.logits)
    return Asked(part, comparison_scores(comparison, part.panel.names, chances), positive, at)


def sides(
    comparison: ComparisonRecipe, films: Sequence[Film]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return which films a question is about: their places int64 [N], and which are positive."""
    recorded = (*comparison.positive, *comparison.negative)
    at = [
        place
        for place, film in enumerate(films)
        if film.source == comparison.source and recorded_kind(film) in recorded
    ]
    positive = [recorded_kind(films[place]) in comparison.positive for place in at]
    return np.array(at, dtype=np.int64), np.array(positive, dtype=bool)


def comparison_scores(
    comparison: ComparisonRecipe, names: Sequence[str], chances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mass on the positive outputs among both sides' outputs.

    Args:
        comparison: The question.
        names: Of the K outputs.
        chances: float64 [N, K], calibrated probabilities.

    Returns:
        float64 [N].
    """
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
    points: PanelPoints,
    population: Population,
) -> dict[str, Any] | None:
    """The figures of one question, or None when one side has no test film.

    Args:
        comparison: The question.
        validation: Choose the threshold of the accuracy, within the same source.
        test: Measured.
        calibration: Of the panel.
        points: The panel's shipped operating points.
        population: Of the test films.

    Returns:
        Beside the areas: ``shipped_...`` at the operating points of the positive outputs, and
        ``named_...`` for the labels that the panel names, experimental ones among them. Both are
        of the ``assessed_...`` films, those inside the panel's scope: outside there is no verdict,
        though there is a score. Neither is measured where no positive output has an operating
        point.
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
    return row | _at_points(comparison, asked, calibration, points, population)


def _at_best_accuracy(chosen_on: Asked, asked: Asked, draws: PatientBootstrap) -> dict[str, Any]:
    """Accuracy at the threshold that was best on validation films of the same source."""
    if not chosen_on.two_sided:
        return {"threshold": None, "accuracy": None}
    threshold = best_accuracy(chosen_on.scores, chosen_on.positive)
    right = (asked.scores >= threshold) == asked.positive
    return {"threshold": threshold, "accuracy": draws.share(right)}


def _at_points(
    comparison: ComparisonRecipe,
    asked: Asked,
    calibration: Calibration,
    points: PanelPoints,
    population: Population,
) -> dict[str, Any]:
    """Sensitivity and specificity of the films inside the panel's scope, both ways of judging."""
    answers, positive = asked.answers, asked.positive
    inside = population.inside[answers.panel.name][asked.at]
    children = population.children[asked.at]
    chances = calibration.probabilities(answers.logits)
    places = [answers.panel.names.index(label) for label in comparison.positive_outputs]
    judged: dict[str, NDArray[np.bool_]] = {
        "shipped": points.reached(chances, children),
        "named": points.named(chances, experimental=True, children=children),
    }
    draws = PatientBootstrap(answers.clusters)
    pointless = not set(points.thresholds) & set(comparison.positive_outputs)
    row: dict[str, Any] = {
        "assessed_positive_films": int((positive & inside).sum()),
        "assessed_negative_films": int((~positive & inside).sum()),
    }
    for how, labels in judged.items():
        called = np.asarray(labels[:, places].any(axis=1))
        for figure, hits, among in (
            ("sensitivity", called, positive),
            ("specificity", ~called, ~positive),
        ):
            found = dict(NOT_MEASURED) if pointless else draws.share(hits, among & inside)
            row[f"{how}_{figure}"] = found
    return row
