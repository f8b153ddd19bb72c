"""Sensitivity and specificity at the operating point, source by source, and what chose it in words.

The sentence is made from the counts, so that it cannot say of images what was not counted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum.domain.verdict import predictive_value
from hilum_training.measures.bootstrap import PatientBootstrap, figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.label_images import LabelImages

    Figure = Mapping[str, Any]

NOT_MEASURED: Final[Figure] = {"value": None, "interval": None}
FEWEST_TO_DRAW: Final = 20
"""Patients from which drawing them again gives an interval; fewer have Wilson's."""
_QUANTILE: Final = 1.959964


def by_source(
    images: LabelImages, threshold: float | None, child_threshold: float | None = None
) -> list[dict[str, Any]]:
    """Return a row for each source: images and patients of each kind, both shares and the AUROC.

    Args:
        images: Of a label.
        threshold: Its operating point; without one the shares are not measured.
        child_threshold: That for images of children, where it differs.
    """
    draws = PatientBootstrap(images.clusters.tolist())
    called = None if threshold is None else images.called(threshold, child_threshold)
    rows = []
    for source in np.unique(images.sources):
        inside = images.sources == source
        row: dict[str, Any] = {"source": str(source)}
        for kind, chosen in (
            ("positive", inside & images.present),
            ("negative", inside & ~images.present),
        ):
            row[f"{kind}_films"] = int(chosen.sum())
            row[f"{kind}_patients"] = len(np.unique(images.clusters[chosen]))
        row["sensitivity"] = share(draws, called, inside & images.present, images.clusters)
        below = None if called is None else ~called
        row["specificity"] = share(draws, below, inside & ~images.present, images.clusters)
        row["auroc"] = draws_of(images, inside).area(images.scores[inside], images.present[inside])
        rows.append(row)
    return rows


def draws_of(images: LabelImages, chosen: NDArray[np.bool_]) -> PatientBootstrap:
    """Return draws of the patients of a part of a label's images."""
    return PatientBootstrap(images.clusters[chosen].tolist())


def share(
    draws: PatientBootstrap,
    hits: NDArray[np.bool_] | None,
    among: NDArray[np.bool_],
    clusters: NDArray[np.str_],
) -> dict[str, Any]:
    """Return the share of hits with its interval: Wilson's where patients are few.

    Args:
        draws: Of the patients.
        hits: bool [N], or None where nothing was measured.
        among: bool [N], the images that count.
        clusters: str [N], patient cluster of each image.
    """
    if hits is None or not among.any():
        return dict(NOT_MEASURED)
    found = draws.share(hits, among)
    patients = len(np.unique(clusters[among]))
    if patients < FEWEST_TO_DRAW and found["value"] not in {0.0, 1.0}:
        found["interval"] = wilson(found["value"], patients)
    return found


def wilson(value: float, count: int) -> list[float | None]:
    """Return Wilson's 95 % interval (J Am Stat Assoc 1927) of a share of so many."""
    square = _QUANTILE**2 / count
    centre = (value + square / 2) / (1 + square)
    half = math.sqrt(value * (1 - value) / count + square / (4 * count)) * _QUANTILE
    half /= 1 + square
    return [figure(centre - half), figure(centre + half)]


def predictive_values(
    sensitivity: Figure, specificity: Figure, prevalence: float | None
) -> dict[str, Any] | None:
    """Return the predictive values at a prevalence, or None where they are not known.

    Both rise with sensitivity and specificity, so that the ends of their intervals come from the
    ends of those.

    Args:
        sensitivity: A figure.
        specificity: A figure.
        prevalence: Share of images that have the finding.

    Returns:
        ``ppv``: of images flagged, the share that have it. ``npv``: of others, the share without.
    """
    pairs = [(sensitivity["value"], specificity["value"])]
    if prevalence is None or None in pairs[0]:
        return None
    if sensitivity["interval"] and specificity["interval"]:
        pairs += list(zip(sensitivity["interval"], specificity["interval"], strict=True))
    positive = [predictive_value(on, off, prevalence) for on, off in pairs]
    negative = [predictive_value(off, on, 1 - prevalence) for on, off in pairs]
    return {"prevalence": prevalence, "ppv": _figure(positive), "npv": _figure(negative)}


def _figure(values: Sequence[float | None]) -> dict[str, Any]:
    rounded = [None if value is None else figure(value) for value in values]
    ends = rounded[1:] if len(rounded) > 1 and None not in rounded else None
    return {"value": rounded[0], "interval": ends}


def fitted_on(rows: Sequence[Mapping[str, Any]], rule: str) -> str:
    """Return in words which images chose an operating point, and by which rule.

    Args:
        rows: From :func:`by_source`, of validation images.
        rule: What decided.
    """
    with_it, without = (_counted(rows, kind) for kind in ("positive", "negative"))
    return (
        f"Validation images with it: {with_it}. Without it: {without}. "
        f"Rule: {rule or 'none, there is no operating point'}."
    )


def measured_on(row: Mapping[str, Any] | None, *, children_apart: bool) -> str:
    """Return in words which test images the shipped sensitivity and specificity are of.

    Args:
        row: From :func:`hilum_training.evaluation.point_figures.worst_of`, or None where no source
            has enough patients.
        children_apart: Small children have a threshold of their own, and do not count.
    """
    if row is None:
        return (
            "Sensitivity and specificity: not measured, since no source has test images of "
            f"{FEWEST_TO_DRAW} patients of each kind."
        )
    apart = ", small children not counted" if children_apart else ""
    text = (
        f"Sensitivity and specificity: {row['positive_films']} test images with it and "
        f"{row['negative_films']} without it, of {row['source']}{apart}."
    )
    if row.get("assumed_false_flag"):
        text += " None of the latter was flagged: the specificity assumes one patient more who is."
    return text


def _counted(rows: Sequence[Mapping[str, Any]], kind: str) -> str:
    parts = []
    for row in rows:
        images, patients = row[f"{kind}_films"], row[f"{kind}_patients"]
        if images:
            people = "" if images == patients else f" of {patients} patients"
            parts.append(f"{row['source']} {images}{people}")
    return ", ".join(parts) or "none"
