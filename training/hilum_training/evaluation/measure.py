"""Every figure of a panel's report, from answers alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.breakdown import breakdown, findings_row
from hilum_training.evaluation.comparisons import ask, compare
from hilum_training.evaluation.gate_figures import gate_figures
from hilum_training.evaluation.operating_points import choose_point
from hilum_training.evaluation.shortcuts.aspect import aspect_shortcut
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.findings import FEWEST_IN_MEAN
from hilum_training.measures.metrics import (
    confusion_matrix,
    expected_calibration_error,
    sensitivity_specificity,
    sigmoid,
    softmax,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.evaluation.operating_points import ChosenPoint
    from hilum_training.measures.calibration import Calibration

FITTED_ON = "validation films of all sources, one label against the others"


def measure_panel(validation: Answers, test: Answers) -> dict[str, Any]:
    """A panel's section of the report.

    Args:
        validation: Choose calibration and operating points.
        test: Patients unseen: everything else is measured on them.

    Raises:
        NoOperatingPoint: A label's operating point cannot be chosen.
    """
    panel = test.panel
    calibration = validation.calibration()
    multi = panel.kind == "multi_label"
    chosen_on, counted = (part.known() if multi else part.single() for part in (validation, test))
    points = {
        label: choose_point(scores, present, panel.operating_point)
        for label, scores, present in _labels(chosen_on, calibration)
    }
    thresholds = {label: point.threshold for label, point in points.items()}
    rows = [
        row
        for comparison in panel.comparisons
        if (row := compare(comparison, validation, test, calibration, thresholds))
    ]
    return {
        "kind": panel.kind,
        "films": {
            "validation": len(chosen_on.films),
            "test": len(counted.films),
            "test_patients": len(set(counted.clusters)),
        },
        "within_source": rows,
        **(
            {**findings_row(counted), "fewest_positive_films": FEWEST_IN_MEAN}
            if multi
            else _single_label(counted, calibration)
        ),
        "labels": _per_label(chosen_on, counted, calibration, points),
        "calibration_error": _calibration_error(chosen_on, counted, calibration),
        "calibration": calibration.to_report(),
        "fitted_on": FITTED_ON,
        **(gate_figures(counted, calibration, thresholds) if panel.kind == "gate" else {}),
        "outside_the_panel": _outside(test, calibration),
        "aspect_shortcut": _aspects(test, calibration),
        "by": breakdown(test, calibration),
    }


def _labels(
    part: Answers, calibration: Calibration
) -> Sequence[tuple[str, NDArray[np.float64], NDArray[np.bool_]]]:
    """Each label with its probabilities and the films that carry it."""
    chances = calibration.probabilities(part.logits)
    present = part.targets.values > 0
    return [
        (name, chances[:, index], present[:, index]) for index, name in enumerate(part.panel.names)
    ]


def _single_label(counted: Answers, calibration: Calibration) -> dict[str, Any]:
    names = counted.panel.names
    answered = calibration.probabilities(counted.logits).argmax(axis=1)
    matrix = confusion_matrix(counted.places, answered, len(names))
    draws = PatientBootstrap(counted.clusters)
    return {
        "accuracy": draws.share(answered == counted.places),
        "confusion": {
            name: {other: int(matrix[row, column]) for column, other in enumerate(names)}
            for row, name in enumerate(names)
        },
        "per_source": _per_source(counted, answered),
    }


def _per_label(
    chosen_on: Answers,
    counted: Answers,
    calibration: Calibration,
    points: dict[str, ChosenPoint],
) -> dict[str, Any]:
    draws = PatientBootstrap(counted.clusters)
    single = counted.panel.kind != "multi_label"
    answered = calibration.probabilities(counted.logits).argmax(axis=1)
    rows: dict[str, Any] = {}
    chosen, measured = _labels(chosen_on, calibration), _labels(counted, calibration)
    for index, ((name, before, wanted), (_, scores, present)) in enumerate(
        zip(chosen, measured, strict=True)
    ):
        point = points[name]
        on_validation = sensitivity_specificity(before, wanted, point.threshold)
        called = scores >= point.threshold
        row: dict[str, Any] = {
            "test_films": int(present.sum()),
            "auroc": draws.area(scores, present),
            "auprc": draws.average_precision(scores, present),
        }
        if single:
            row |= _precision_recall_f1(draws, answered == index, counted.places == index)
        rows[name] = row | {
            "threshold": point.threshold,
            "chosen_by": point.rule,
            "validation": {
                "films": int(wanted.sum()),
                "sensitivity": figure(on_validation[0]),
                "specificity": figure(on_validation[1]),
            },
            "test": {
                "sensitivity": draws.share(called, present),
                "specificity": draws.share(~called, ~present),
            },
        }
    return rows


def _precision_recall_f1(
    draws: PatientBootstrap, answered: NDArray[np.bool_], recorded: NDArray[np.bool_]
) -> dict[str, Any]:
    """Of one label as the most probable answer, as in a classification report."""
    hits = answered & recorded
    return {
        "precision": draws.share(hits, answered),
        "recall": draws.share(hits, recorded),
        "f1": draws.ratio(
            2 * hits.astype(np.float64), answered.astype(np.float64) + recorded.astype(np.float64)
        ),
    }


def _calibration_error(
    chosen_on: Answers, counted: Answers, calibration: Calibration
) -> dict[str, Any]:
    """Of the answered label; of every label of every film where there are several answers.

    Where most labels are absent from most films, an answer that never changes is nearly calibrated:
    its error, with each finding's share of the validation films, stands beside the network's.
    """
    draws = PatientBootstrap(counted.clusters)
    if counted.panel.kind == "multi_label":
        right = counted.targets.values > 0
        before, after = sigmoid(counted.logits), calibration.probabilities(counted.logits)
        shares = (chosen_on.targets.values > 0).mean(axis=0) if len(chosen_on.films) else np.nan
        constant = expected_calibration_error(
            np.broadcast_to(shares, right.shape).ravel(), right.ravel()
        )
        return {
            "before": figure(expected_calibration_error(before.ravel(), right.ravel())),
            "after": draws.calibration_error(after, right),
            "of_a_constant_answer": figure(constant),
        }
    found = [
        (chances.max(axis=1), chances.argmax(axis=1) == counted.places)
        for chances in (softmax(counted.logits), calibration.probabilities(counted.logits))
    ]
    return {
        "before": figure(expected_calibration_error(*found[0])),
        "after": draws.calibration_error(*found[1]),
    }


def _per_source(counted: Answers, answered: NDArray[np.int64]) -> list[dict[str, Any]]:
    kinds = [(film.source, recorded_kind(film)) for film in counted.films]
    rows = []
    for kind, count in sorted(Counter(kinds).items()):
        at = np.array([item == kind for item in kinds])
        rows.append(
            {
                "source": kind[0],
                "recorded_label": kind[1],
                "films": count,
                "right": figure(float((answered[at] == counted.places[at]).mean())),
                "answered": _counts(counted, answered[at]),
            }
        )
    return rows


def _outside(test: Answers, calibration: Calibration) -> list[dict[str, Any]]:
    """What is answered on films of the panel's sources where no answer is right."""
    probes = test.outside()
    chances = calibration.probabilities(probes.logits)
    answered = chances.argmax(axis=1)
    kinds = [(film.source, recorded_kind(film)) for film in probes.films]
    rows = []
    for kind, count in sorted(Counter(kinds).items()):
        at = np.array([item == kind for item in kinds])
        rows.append(
            {
                "source": kind[0],
                "recorded_label": kind[1],
                "films": count,
                "mean_confidence": figure(float(chances[at].max(axis=1).mean())),
                "answered": _counts(probes, answered[at]),
            }
        )
    return rows


def _counts(part: Answers, answered: NDArray[np.int64]) -> dict[str, int]:
    return {name: int((answered == index).sum()) for index, name in enumerate(part.panel.names)}


def _aspects(test: Answers, calibration: Calibration) -> list[dict[str, Any]]:
    rows = []
    for comparison in test.panel.comparisons:
        asked = ask(comparison, test, calibration)
        aspect = np.array([film.aspect or np.nan for film in asked.answers.films], dtype=float)
        if asked.two_sided and (found := aspect_shortcut(asked.scores, asked.positive, aspect)):
            rows.append({"question": comparison.name, "source": comparison.source, **found})
    return rows
