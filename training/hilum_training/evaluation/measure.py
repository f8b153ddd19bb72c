"""Every figure of a panel's report, from answers alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.breakdown import breakdown, findings_row
from hilum_training.evaluation.by_source import (
    NOT_MEASURED,
    by_source,
    fitted_on,
    predictive_values,
)
from hilum_training.evaluation.calibration_figures import calibration_figures
from hilum_training.evaluation.comparisons import ask, compare
from hilum_training.evaluation.gate_figures import gate_figures
from hilum_training.evaluation.label_images import label_images
from hilum_training.evaluation.shortcuts.aspect import aspect_shortcut
from hilum_training.evaluation.worst_source import area_within_sources, point_of
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.findings import FEWEST_IN_MEAN
from hilum_training.measures.metrics import confusion_matrix, sensitivity_specificity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.evaluation.label_images import LabelImages
    from hilum_training.evaluation.worst_source import LabelPoint
    from hilum_training.measures.calibration import Calibration


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
    points = choose_points(validation, calibration)
    thresholds, children = thresholds_of(points), child_thresholds_of(points)
    rows = [
        row
        for comparison in panel.comparisons
        if (row := compare(comparison, validation, test, calibration, thresholds, children))
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
        "labels": _per_label(validation, test, calibration, points),
        "calibration_error": calibration_figures(chosen_on, counted, calibration),
        "calibration": calibration.to_report(),
        **(gate_figures(counted, calibration, thresholds) if panel.kind == "gate" else {}),
        "outside_the_panel": _outside(test, calibration),
        "aspect_shortcut": _aspects(test, calibration),
        "by": breakdown(test, calibration),
    }


def choose_points(validation: Answers, calibration: Calibration) -> dict[str, LabelPoint]:
    """Choose the operating point of each label of a panel, or say why it has none.

    Args:
        validation: Answers to the whole validation split.
        calibration: Of the panel.

    Raises:
        NoOperatingPoint: A gate has no validation image without a label.
    """
    panel = validation.panel
    images = label_images(validation, calibration)
    return {
        label.name: point_of(panel.kind, label, images[label.name], panel.operating_point)
        for label in panel.labels
    }


def thresholds_of(points: Mapping[str, LabelPoint]) -> dict[str, float]:
    """Return the thresholds of those labels that have one."""
    return {
        label: point.threshold for label, point in points.items() if point.threshold is not None
    }


def child_thresholds_of(points: Mapping[str, LabelPoint]) -> dict[str, float]:
    """Return the thresholds for children of those labels that have one."""
    return {
        label: point.child_threshold
        for label, point in points.items()
        if point.child_threshold is not None
    }


def section_child_thresholds(section: Mapping[str, Any]) -> dict[str, float]:
    """Return the thresholds for children in a panel's section of a report."""
    rows = section["labels"].items()
    return {label: row["child_threshold"] for label, row in rows if "child_threshold" in row}


def section_thresholds(section: Mapping[str, Any]) -> dict[str, float]:
    """Return the thresholds in a panel's section of a report, of those labels that have one."""
    return {
        label: row["threshold"]
        for label, row in section["labels"].items()
        if row["threshold"] is not None
    }


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
    validation: Answers, test: Answers, calibration: Calibration, points: Mapping[str, LabelPoint]
) -> dict[str, Any]:
    chosen_on, measured = (label_images(part, calibration) for part in (validation, test))
    return {
        label.name: {
            **_discrimination(test, calibration, place),
            "rank": label.rank,
            **_at_point(chosen_on[label.name], measured[label.name], points[label.name]),
            **_predictive(measured[label.name], points[label.name], label.prevalence),
        }
        for place, label in enumerate(test.panel.labels)
    }


def _discrimination(test: Answers, calibration: Calibration, place: int) -> dict[str, Any]:
    """Areas of a label, and figures of the most probable answer where there is one."""
    single = test.panel.kind != "multi_label"
    counted = test.single() if single else test.known()
    chances = calibration.probabilities(counted.logits)
    present = counted.targets.values[:, place] > 0
    draws = PatientBootstrap(counted.clusters)
    row = {
        "test_films": int(present.sum()),
        "auroc": draws.area(chances[:, place], present),
        "auprc": draws.average_precision(chances[:, place], present),
    }
    if single:
        row |= _precision_recall_f1(draws, chances.argmax(axis=1) == place, present)
    return row


def _at_point(chosen_on: LabelImages, measured: LabelImages, point: LabelPoint) -> dict[str, Any]:
    """Which images chose a label's point, and what it gives on them and on test images."""
    rows = by_source(chosen_on, point.threshold, point.child_threshold)
    on_validation = (float("nan"),) * 2
    if point.threshold is not None:
        called = chosen_on.called(point.threshold, point.child_threshold)
        on_validation = sensitivity_specificity(
            called.astype(np.float64), chosen_on.present, threshold=1.0
        )
    return {
        "threshold": point.threshold,
        **({} if point.child_threshold is None else {"child_threshold": point.child_threshold}),
        "chosen_by": point.rule or None,
        **({"no_point": point.no_point} if point.no_point else {}),
        "fitted_on": fitted_on(rows, point.rule),
        "validation": {
            "films": int(chosen_on.present.sum()),
            "sensitivity": figure(on_validation[0]),
            "specificity": figure(on_validation[1]),
            "auroc_within_sources": area_within_sources(chosen_on),
        },
        "by_source": rows,
        "test": _shares(measured, point),
        "test_by_source": by_source(measured, point.threshold, point.child_threshold),
    }


def _shares(images: LabelImages, point: LabelPoint) -> dict[str, Any]:
    """Sensitivity and specificity over all sources together."""
    if point.threshold is None:
        return {"sensitivity": dict(NOT_MEASURED), "specificity": dict(NOT_MEASURED)}
    draws = PatientBootstrap(images.clusters.tolist())
    called = images.called(point.threshold, point.child_threshold)
    return {
        "sensitivity": draws.share(called, images.present),
        "specificity": draws.share(~called, ~images.present),
    }


def _predictive(images: LabelImages, point: LabelPoint, prevalence: float | None) -> dict[str, Any]:
    shares = _shares(images, point)
    found = predictive_values(shares["sensitivity"], shares["specificity"], prevalence)
    return {"predictive_values": found} if found else {}


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
