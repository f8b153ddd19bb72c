"""A label's operating point: which images chose it, and what it gives on test images.

A flag means least where specificity is lowest. Over all sources together, images of sources that
hardly resemble the ill ones raise it. So the predictive values, and the pair of sensitivity and
specificity that is shipped with a point, are of the source where they are worst.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.verdict import predictive_value
from hilum_training.evaluation.by_source import (
    FEWEST_TO_DRAW,
    NOT_MEASURED,
    by_source,
    fitted_on,
    measured_on,
    predictive_values,
)
from hilum_training.evaluation.worst_source import area_within_sources
from hilum_training.measures.bootstrap import PatientBootstrap, figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hilum_training.evaluation.label_images import LabelImages
    from hilum_training.evaluation.worst_source import LabelPoint

    Row = Mapping[str, Any]

ALL: Final = "all sources"
EVEN: Final = 0.5
"""The prevalence at which sources are compared for a label without a stated one."""
_OF_SOURCE: Final = (
    "source",
    "positive_films",
    "positive_patients",
    "negative_films",
    "negative_patients",
    "sensitivity",
    "specificity",
    "assumed_false_flag",
)


def point_figures(
    chosen_on: LabelImages,
    measured: LabelImages,
    point: LabelPoint,
    prevalence: float | None,
    *,
    pooled: bool = False,
) -> dict[str, Any]:
    """Return a label's part of a report that speaks of its operating point.

    Args:
        chosen_on: Validation images of the label.
        measured: Test images inside the panel's scope.
        point: What was chosen.
        prevalence: For which predictive values are stated, or None.
        pooled: All sources count as one, as for a gate.

    Returns:
        Beside the point and its images: ``worst_source``, the row of the source where a flag means
        least, or None, and ``predictive_values`` there. Where small children have a threshold of
        their own, both are of everybody else, and ``children`` has those of small children.
    """
    rows = by_source(chosen_on, point.threshold, point.child_threshold)
    others, children = _by_threshold(measured, point)
    worst = _worst(others, point.threshold, prevalence, pooled=pooled)
    found = {
        "threshold": point.threshold,
        **({} if point.child_threshold is None else {"child_threshold": point.child_threshold}),
        "chosen_by": point.rule or None,
        **({"no_point": point.no_point} if point.no_point else {}),
        "fitted_on": fitted_on(rows, point.rule),
        "validation": {
            "films": int(chosen_on.present.sum()),
            "auroc_within_sources": area_within_sources(chosen_on),
        },
        "by_source": rows,
        "test": _shares(measured, point),
        "test_by_source": by_source(measured, point.threshold, point.child_threshold),
        "worst_source": worst,
        **_predictive(worst, prevalence),
    }
    if point.threshold is not None:
        found["fitted_on"] += f" {measured_on(worst, children_apart=children is not None)}"
    if children is not None:
        worst = _worst(children, point.child_threshold, prevalence)
        found["children"] = {"worst_source": worst, **_predictive(worst, prevalence)}
    return found


def worst_of(rows: Sequence[Row], prevalence: float | None) -> Row | None:
    """Return the row with the lowest positive predictive value, or None.

    Args:
        rows: From :func:`by_source`. Those of fewer than :data:`FEWEST_TO_DRAW` patients with the
            label, or without it, do not count.
        prevalence: Of the label; None compares at :data:`EVEN`.

    Returns:
        The row. Without a false flag a flag would seem to be always right: then the specificity is
        that with one patient more, who is flagged, and ``assumed_false_flag`` says so.
    """

    def value(row: Row) -> float:
        pair = (row["sensitivity"]["value"], row["specificity"]["value"])
        found = predictive_value(*pair, prevalence or EVEN)
        return 1.0 if found is None else found

    enough = [
        _doubted(row)
        for row in rows
        if min(row["positive_patients"], row["negative_patients"]) >= FEWEST_TO_DRAW
    ]
    return min(enough, key=value, default=None)


def _doubted(row: Row) -> Row:
    if row["specificity"]["value"] != 1.0:
        return row
    value = figure(row["negative_patients"] / (row["negative_patients"] + 1))
    specificity = {**row["specificity"], "value": value}
    return {**row, "specificity": specificity, "assumed_false_flag": True}


def _worst(
    images: LabelImages, threshold: float | None, prevalence: float | None, *, pooled: bool = False
) -> dict[str, Any] | None:
    if threshold is None:
        return None
    if pooled:
        images = replace(images, sources=np.full(len(images.scores), ALL))
    rows = by_source(images, threshold)
    row = next(iter(rows), None) if pooled else worst_of(rows, prevalence)
    return None if row is None else {key: row[key] for key in _OF_SOURCE if key in row}


def _predictive(worst: Row | None, prevalence: float | None) -> dict[str, Any]:
    if worst is None:
        return {}
    values = predictive_values(worst["sensitivity"], worst["specificity"], prevalence)
    return {"predictive_values": {"source": worst["source"], **values}} if values else {}


def _by_threshold(images: LabelImages, point: LabelPoint) -> tuple[LabelImages, LabelImages | None]:
    """Images that the point for everybody else judges, and those that the children's judges."""
    if point.child_threshold is None or images.children is None:
        return images, None
    return images.take(~images.children), images.take(images.children)


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
