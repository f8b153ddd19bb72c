"""Every figure of a panel's report, from answers alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hilum_training.evaluation.breakdown import breakdown, findings_row
from hilum_training.evaluation.calibration_figures import calibration_figures
from hilum_training.evaluation.comparisons import ask, compare
from hilum_training.evaluation.gate_figures import gate_figures
from hilum_training.evaluation.label_images import label_images
from hilum_training.evaluation.point_figures import point_figures
from hilum_training.evaluation.shortcuts.aspect import aspect_shortcut
from hilum_training.evaluation.verdicts import PanelPoints
from hilum_training.evaluation.worst_source import point_of
from hilum_training.films.targets import recorded_kind
from hilum_training.measures.bootstrap import PatientBootstrap, figure
from hilum_training.measures.findings import FEWEST_IN_MEAN
from hilum_training.measures.metrics import confusion_matrix
from hilum_training.population.inside import Population

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hilum_training.evaluation.answers import Answers
    from hilum_training.evaluation.label_images import LabelImages
    from hilum_training.evaluation.worst_source import LabelPoint
    from hilum_training.measures.calibration import Calibration


def measure_panel(
    validation: Answers, test: Answers, population: Population | None = None
) -> dict[str, Any]:
    """A panel's section of the report.

    Figures at operating points are of images inside the panel's scope: outside there is no verdict.
    Areas, accuracy and calibration are of all images, which keep their scores.

    Args:
        validation: Choose calibration and operating points.
        test: Patients unseen: everything else is measured on them.
        population: Of the test images, as in the headline. None: all lie inside the scope, and the
            recorded age says who is a child.

    Raises:
        NoOperatingPoint: A label's operating point cannot be chosen.
    """
    panel = test.panel
    calibration = validation.calibration()
    multi = panel.kind == "multi_label"
    chosen_on, counted = (part.known() if multi else part.single() for part in (validation, test))
    points = choose_points(validation, calibration)
    population = population or Population.as_recorded(panel.name, test.films)
    thresholds = thresholds_of(points)
    judged = PanelPoints.of_recipe(panel, thresholds, child_thresholds_of(points))
    rows = [
        row
        for comparison in panel.comparisons
        if (row := compare(comparison, validation, test, calibration, judged, population))
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
        "labels": _per_label((validation, test), calibration, points, population),
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
    images = _chosen_images(validation, calibration)
    return {
        label.name: point_of(panel.kind, label, images[label.name], panel.operating_point)
        for label in panel.labels
    }


def _chosen_images(validation: Answers, calibration: Calibration) -> dict[str, LabelImages]:
    """Return the images that choose each label's point: outside the scope as well, by age."""
    recorded = Population.as_recorded(validation.panel.name, validation.films)
    return label_images(validation, calibration, recorded)


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
    parts: tuple[Answers, Answers],
    calibration: Calibration,
    points: Mapping[str, LabelPoint],
    population: Population,
) -> dict[str, Any]:
    validation, test = parts
    chosen_on = _chosen_images(validation, calibration)
    measured = label_images(test, calibration, population)
    gate = test.panel.kind == "gate"
    return {
        label.name: {
            **_discrimination(test, calibration, place),
            "rank": label.rank,
            **point_figures(
                chosen_on[label.name],
                measured[label.name],
                points[label.name],
                label.prevalence,
                pooled=gate,
            ),
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
