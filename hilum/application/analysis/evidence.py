"""Evidence: where on an image the positive findings lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hilum.domain.finding import LEAST_IN_LUNGS, Box, Heatmap
from hilum.imaging.heatmap import quantise
from hilum.imaging.localisation import boxes_in_cells, lung_cells, share_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.analysis.gate import Gated
    from hilum.application.analysis.structures import Size
    from hilum.domain.finding import PanelReading
    from hilum.domain.model import ModelSet

    Locate = Callable[[NDArray[np.float32]], tuple[tuple[Box, ...], float | None]]


def add_evidence(
    readings: Iterable[PanelReading],
    gated: Gated,
    models: ModelSet,
    field: NDArray[np.uint8] | None,
) -> tuple[tuple[PanelReading, ...], tuple[Heatmap, ...]]:
    """Add to what is positive and abnormal where on the image the evidence lies.

    Args:
        readings: Of the panels of the set.
        gated: The image.
        models: That gave the readings.
        field: Lung mask uint8 [H, W], or None for the whole image.

    Returns:
        The readings with boxes, and the heatmaps to keep.
    """
    locate = locate_within(field, gated.view.film.pixels.shape)
    by_name = {model.name: model for model in models.models}
    found: list[PanelReading] = []
    heatmaps: list[Heatmap] = []
    for reading in readings:
        model = by_name[reading.model]
        if not model.has_output("heatmaps", reading.panel):
            found.append(reading)
            continue
        maps = gated.inferred.output(model, "heatmaps", reading.panel)
        located, kept = with_evidence(reading, maps, locate)
        found.append(located)
        heatmaps.extend(kept)
    return tuple(found), tuple(heatmaps)


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


def locate_within(
    field: NDArray[np.uint8] | None, size: Size
) -> Callable[[NDArray[np.float32]], tuple[tuple[Box, ...], float | None]]:
    """What gives the boxes of a class activation map float32 [h, w], and its share in the lungs.

    A map most of whose positive mass lies outside the lungs gets no box: its strongest place inside
    them is not what spoke for the label.

    Args:
        field: Lung mask uint8 [H, W], or None for the whole film.
        size: Of the film.
    """
    rows, columns = size
    allowed = lung_cells(field)

    def locate(activation: NDArray[np.float32]) -> tuple[tuple[Box, ...], float | None]:
        share = share_within(activation, allowed)
        if share is not None and share < LEAST_IN_LUNGS:
            return (), share
        found = boxes_in_cells(activation, allowed, rows, columns)
        boxes = tuple(
            Box(x=box.x, y=box.y, width=box.width, height=box.height, score=round(box.score, 4))
            for box in found
        )
        return boxes, share

    return locate
