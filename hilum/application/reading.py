"""From a film to a model's input, and from its outputs to findings and heatmaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.errors import InferenceFailed, InvalidManifest
from hilum.domain.finding import Finding, Heatmap, PanelReading
from hilum.domain.gate import rejection_reason
from hilum.domain.model import FRONTAL, Rank
from hilum.domain.scope import outside, shows_a_child
from hilum.domain.verdict import EXPERIMENTAL, NO_POINT, named_labels, predictive_value_of
from hilum.imaging.heatmap import quantise
from hilum.imaging.polarity import looks_inverted, negative
from hilum.imaging.preprocessing import PREPROCESSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hilum.domain.finding import Box
    from hilum.domain.model import Label, ModelManifest, OperatingPoint, Panel
    from hilum.domain.scope import Depicted
    from hilum.imaging.film import Film

    Locate = Callable[[NDArray[np.float32]], tuple[tuple[Box, ...], float | None]]

INVERTED = "inverted"
"""The label of a gate that takes a film for its own negative."""


def upright(film: Film) -> tuple[Film, bool]:
    """The film with bright bones, and whether it had to be turned for that.

    A reader obeys what a file says of itself; a file whose photometric interpretation is wrong is
    then displayed as its own negative, and no model was trained on negatives.
    """
    if not looks_inverted(film.pixels):
        return film, False
    return turned(film), True


def turned(film: Film) -> Film:
    """The film's negative."""
    return replace(film, pixels=negative(film.pixels))


def model_input(model: ModelManifest, film: Film) -> NDArray[np.uint8]:
    """The film as the model wants it, uint8 [1, H, W, 1].

    Raises:
        InvalidManifest: The manifest names a preprocessing that this release does not have.
    """
    preprocessing = PREPROCESSING.get(model.preprocessing)
    if preprocessing is None:
        raise InvalidManifest(f"{model.name}: no preprocessing {model.preprocessing} here")
    height, width = model.film_input.shape[:2]
    return preprocessing(film.pixels, height, width)[np.newaxis]


class ModelInputs:
    """One film as the input of every model that reads it, resampled once for those that agree."""

    def __init__(self, film: Film) -> None:
        """Keep the film; nothing is resampled yet."""
        self._film = film
        self._made: dict[tuple[str, tuple[int, ...]], NDArray[np.uint8]] = {}

    def __call__(self, model: ModelManifest) -> NDArray[np.uint8]:
        """As :func:`model_input`."""
        wanted = (model.preprocessing, model.film_input.shape)
        if wanted not in self._made:
            self._made[wanted] = model_input(model, self._film)
        return self._made[wanted]


def panel_reading(
    model: ModelManifest,
    panel: Panel,
    probabilities: NDArray[np.float32],
    depicted: Depicted | None = None,
) -> PanelReading:
    """Findings from probabilities.

    Args:
        model: Gave them.
        panel: A panel of the model, with its active operating points.
        probabilities: float32 [K] in the order of the panel's labels.
        depicted: What is known of the image; None counts as inside every scope.

    Raises:
        InferenceFailed: A probability is no number.
    """
    if not np.isfinite(probabilities).all():
        raise InferenceFailed(f"{model.name} {model.version} gave a non-finite probability")
    given = {
        label.name: round(float(value), 6)
        for label, value in zip(panel.labels, probabilities, strict=True)
    }
    beyond = outside(panel.scope, depicted) if depicted else ""
    points = {point.label: point for point in panel.operating_points if point.holds(beyond)}
    abnormal = {label.name for label in panel.labels if label.abnormal}
    child = (
        depicted is not None
        and any(point.child_threshold is not None for point in points.values())
        and shows_a_child(panel.scope, depicted)
    )
    thresholds = {name: point.threshold_for(child=child) for name, point in points.items()}
    named = named_labels(panel.kind, given, thresholds, abnormal)
    findings = [
        _finding(
            label,
            given[label.name],
            points.get(label.name),
            positive=label.name in named,
            beyond=beyond,
            child=child,
        )
        for label in panel.labels
    ]
    return PanelReading(
        panel=panel.name,
        model=model.name,
        version=model.version,
        findings=tuple(findings),
        display=panel.display,
        kind=panel.kind,
        caution=panel.caution,
        scope_reason=beyond,
        child=child,
    )


def _finding(
    label: Label,
    probability: float,
    point: OperatingPoint | None,
    *,
    positive: bool,
    beyond: str,
    child: bool,
) -> Finding:
    """A label with its verdict, or with the cause why it has none.

    The measured sensitivity and specificity are those of the point for anybody else: at the one for
    small children no predictive value is known.
    """
    reason = ""
    if point is None:
        unassessed = NO_POINT if label.rank is Rank.VALIDATED else EXPERIMENTAL
        reason = beyond or unassessed
    for_child = child and point is not None and point.child_threshold is not None
    return Finding(
        label=label.name,
        display=label.display,
        probability=probability,
        operating_point=point.threshold_for(child=child) if point else None,
        positive=None if reason else positive,
        abnormal=label.abnormal,
        weak=label.weak,
        code=label.code,
        rank=label.rank,
        reason=reason,
        prevalence=label.prevalence,
        predictive_value=None if for_child else predictive_value_of(label, point),
    )


def with_evidence(
    reading: PanelReading, maps: NDArray[np.float32], locate: Locate
) -> tuple[PanelReading, tuple[Heatmap, ...]]:
    """Add to what is positive and abnormal where on the film the evidence lies.

    Args:
        reading: Of the panel.
        maps: Class activation maps float32 [h, w, K], logit units, in the order of the labels.
        locate: Gives the boxes of one map, float32 [h, w], and its share within the lungs.

    Returns:
        The reading with boxes, and the heatmaps to keep.
    """
    findings = []
    heatmaps = []
    for index, finding in enumerate(reading.findings):
        if not (finding.positive and finding.abnormal):
            findings.append(finding)
            continue
        activation = maps[:, :, index]
        values, scale = quantise(activation)
        rows, columns = values.shape
        heatmaps.append(
            Heatmap(reading.panel, finding.label, rows, columns, values.tobytes(), scale)
        )
        boxes, share = locate(activation)
        findings.append(replace(finding, heatmap=True, boxes=boxes, map_in_lungs=share))
    return replace(reading, findings=tuple(findings)), tuple(heatmaps)


def passes(gate: PanelReading) -> bool:
    """Whether the gate lets the film through: it is frontal, at the operating point or above."""
    frontal = gate.finding(FRONTAL)
    return frontal is not None and frontal.positive is True


def gate_refusal(gate: PanelReading) -> str:
    """Say why the gate rejected an image, in words and with its probabilities.

    The reason is the label that :func:`hilum.domain.gate.rejection_label` chooses.
    """
    frontal = gate.finding(FRONTAL)
    score = f"frontal {frontal.probability:.2f}" if frontal is not None else "not frontal"
    reason = rejection_reason(gate)
    if reason.label == FRONTAL:
        least = reason.operating_point
        point = "" if least is None else f", at least {least:.2f} is asked for"
        return f"not surely a frontal chest film ({score}{point})"
    words = reason.display[:1].lower() + reason.display[1:]
    return f"looks like: {words} ({reason.probability:.2f}), {score}"
