"""Every figure of the report, from predictions alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.calibration import fit_temperature
from hilum_training.evaluation.metrics import (
    area_under_curve,
    bootstrap_interval,
    confusion_matrix,
    expected_calibration_error,
    sensitivity_specificity,
    softmax,
)
from hilum_training.evaluation.operating_points import choose_threshold
from hilum_training.evaluation.shortcuts import aspect_shortcut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.recipe import ComparisonRecipe, Recipe


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a network says of films.

    Attributes:
        films: N films.
        clusters: Patient cluster of each.
        logits: float64 [N, K].
    """

    films: tuple[Film, ...]
    clusters: tuple[str, ...]
    logits: NDArray[np.float64]

    @classmethod
    def of(cls, films: FilmSet, logits: NDArray[np.float64]) -> Predictions:
        """Predictions of a film set."""
        return cls(films.films, films.clusters, logits)

    def known(self) -> Predictions:
        """Those with exactly one allowed label: what accuracy and AUROC can be counted on."""
        return self.take([i for i, film in enumerate(self.films) if len(film.candidates) == 1])

    def take(self, indexes: Sequence[int]) -> Predictions:
        """A part of them."""
        return Predictions(
            tuple(self.films[i] for i in indexes),
            tuple(self.clusters[i] for i in indexes),
            self.logits[list(indexes)],
        )

    def truth(self) -> NDArray[np.int64]:
        """int64 [N]: index of the one allowed label."""
        return np.array([film.candidates[0] for film in self.films], dtype=np.int64)


def measure(
    recipe: Recipe, validation: Predictions, test: Predictions, probes: Predictions
) -> dict[str, Any]:
    """The report's figures.

    Args:
        recipe: Labels, rule of the operating points, comparisons.
        validation: Choose temperature and operating points.
        test: Patients unseen: everything else is measured on them.
        probes: Test patients with findings outside the panel.
    """
    labels = recipe.data.labels
    allowed = np.zeros(validation.logits.shape, dtype=np.float32)
    for place, film in enumerate(validation.films):
        allowed[place, list(film.candidates)] = 1
    temperature = fit_temperature(validation.logits, allowed)
    known, chosen_on = test.known(), validation.known()
    probabilities = softmax(known.logits / temperature)
    truth = known.truth()
    return {
        "temperature": temperature,
        "expected_calibration_error": {
            "before": _round(expected_calibration_error(softmax(known.logits), truth)),
            "after": _round(expected_calibration_error(probabilities, truth)),
        },
        "films": {"validation": len(chosen_on.films), "test": len(known.films)},
        "within_source": [
            row
            for comparison in recipe.comparisons
            if (row := compare(comparison, test, temperature, labels))
        ],
        "accuracy": _accuracy(known, probabilities, truth),
        "labels": _per_label(recipe, chosen_on, known, temperature),
        "per_source": _per_source(known, probabilities, truth, labels),
        "confusion": confusion_matrix(truth, probabilities.argmax(axis=1), len(labels)),
        "outside_the_panel": _outside(probes, temperature, labels),
    }


def compare(
    comparison: ComparisonRecipe, test: Predictions, temperature: float, labels: Sequence[str]
) -> dict[str, Any] | None:
    """AUROC of one question within one source, or None when one side has no film."""
    sides = (*comparison.positive, *comparison.negative)
    part = test.take(
        [
            i
            for i, film in enumerate(test.films)
            if film.source == comparison.source and film.label in sides
        ]
    )
    scores = comparison_scores(comparison, part, temperature, labels)
    positive = np.array([film.label in comparison.positive for film in part.films], dtype=bool)
    if positive.all() or not positive.any():
        return None
    aspect = np.array([film.aspect or np.nan for film in part.films])
    return {
        "question": comparison.name,
        "source": comparison.source,
        "positive_films": int(positive.sum()),
        "negative_films": int((~positive).sum()),
        "auroc": _round(area_under_curve(scores, positive)),
        "interval": _interval(
            lambda drawn: area_under_curve(scores[drawn], positive[drawn]), part.clusters
        ),
        "aspect_shortcut": aspect_shortcut(scores, positive, aspect),
    }


def comparison_scores(
    comparison: ComparisonRecipe, part: Predictions, temperature: float, labels: Sequence[str]
) -> NDArray[np.float64]:
    """Mass on the positive outputs among both, float64 [N]."""
    probabilities = softmax(part.logits / temperature)
    mass = {
        side: probabilities[:, [labels.index(label) for label in outputs]].sum(axis=1)
        for side, outputs in (
            ("positive", comparison.positive_outputs),
            ("negative", comparison.negative_outputs),
        )
    }
    return np.asarray(mass["positive"] / np.maximum(mass["positive"] + mass["negative"], 1e-12))


def _accuracy(
    known: Predictions, probabilities: NDArray[np.float64], truth: NDArray[np.int64]
) -> dict[str, Any]:
    correct = probabilities.argmax(axis=1) == truth
    return {
        "value": _round(float(correct.mean())),
        "interval": _interval(lambda drawn: float(correct[drawn].mean()), known.clusters),
    }


def _per_label(
    recipe: Recipe, validation: Predictions, test: Predictions, temperature: float
) -> dict[str, Any]:
    choosing = softmax(validation.logits / temperature)
    measured = softmax(test.logits / temperature)
    rows: dict[str, Any] = {}
    for index, label in enumerate(recipe.data.labels):
        scores, positive = measured[:, index], test.truth() == index
        wanted = validation.truth() == index
        threshold = choose_threshold(choosing[:, index], wanted, recipe.operating_point)
        on_validation = sensitivity_specificity(choosing[:, index], wanted, threshold)
        on_test = sensitivity_specificity(scores, positive, threshold)
        rows[label] = {
            "test_films": int(positive.sum()),
            "auroc": _round(area_under_curve(scores, positive)),
            "interval": _interval(_area_of(scores, positive), test.clusters),
            "threshold": threshold,
            "validation": dict(zip(("sensitivity", "specificity"), map(_round, on_validation))),  # noqa: B905 - two by two
            "test": dict(zip(("sensitivity", "specificity"), map(_round, on_test))),  # noqa: B905 - two by two
        }
    return rows


def _area_of(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> Callable[[NDArray[np.int64]], float]:
    return lambda drawn: area_under_curve(scores[drawn], positive[drawn])


def _per_source(
    known: Predictions,
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    labels: Sequence[str],
) -> list[dict[str, Any]]:
    answered = probabilities.argmax(axis=1)
    rows = []
    for source, label in sorted({(film.source, film.label) for film in known.films}):
        at = np.array([(film.source, film.label) == (source, label) for film in known.films])
        rows.append(
            {
                "source": source,
                "label": label,
                "films": int(at.sum()),
                "recall": _round(float((answered[at] == truth[at]).mean())),
                "answered": {
                    name: int((answered[at] == index).sum()) for index, name in enumerate(labels)
                },
            }
        )
    return rows


def _outside(
    probes: Predictions, temperature: float, labels: Sequence[str]
) -> list[dict[str, Any]]:
    """What is answered where no answer is right."""
    finding = [(film.source, film.label.partition(":")[0]) for film in probes.films]
    answers = probes.logits.argmax(axis=1) if probes.films else np.zeros(0, dtype=np.int64)
    confidence = softmax(probes.logits / temperature).max(axis=1) if probes.films else answers
    rows = []
    for kind, count in sorted(Counter(finding).items()):
        at = np.array([item == kind for item in finding])
        rows.append(
            {
                "source": kind[0],
                "finding": kind[1],
                "films": count,
                "mean_confidence": _round(float(confidence[at].mean())),
                "answered": {
                    name: int((answers[at] == index).sum()) for index, name in enumerate(labels)
                },
            }
        )
    return rows


def _interval(
    statistic: Callable[[NDArray[np.int64]], float], clusters: Sequence[str]
) -> list[float]:
    return [_round(value) for value in bootstrap_interval(statistic, clusters)]


def _round(value: float) -> float:
    return round(value, 4)
