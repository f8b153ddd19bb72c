"""Where on a film: boxes about evidence, and the outlines of structures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilum.domain.finding import (
    LEAST_IN_LUNGS,
    Box,
    CardiothoracicRatio,
    Structure,
    StructuresReading,
)
from hilum.imaging.localisation import boxes_in_cells, lung_cells, share_within
from hilum.imaging.lungs import lung_mask, read_structures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest, Panel

Size = tuple[int, ...]
"""Rows and columns of the film."""


def lung_field(outlined: Iterable[tuple[Panel, NDArray[np.uint8]]]) -> NDArray[np.uint8] | None:
    """The mask in which findings are looked for.

    Args:
        outlined: Panels of structures, each with its masks uint8 [H, W, K].

    Returns:
        uint8 [H, W] of the first panel that knows lungs, 255 times the probability; None where no
        panel does, which means the whole film.
    """
    for panel, masks in outlined:
        found = lung_mask(masks, [label.name for label in panel.labels])
        if found is not None:
            return found
    return None


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


def structures_reading(
    model: ModelManifest, panel: Panel, masks: NDArray[np.uint8], size: Size
) -> StructuresReading:
    """What the masks of a panel show.

    Args:
        model: Gave them.
        panel: A panel of the model.
        masks: uint8 [H, W, K] in the order of the panel's labels, 255 times the probability.
        size: Of the film.
    """
    rows, columns = size
    found = read_structures(masks, [label.name for label in panel.labels], rows, columns)
    ratio = found.cardiothoracic
    return StructuresReading(
        panel=panel.name,
        model=model.name,
        version=model.version,
        structures=tuple(
            Structure(
                label=structure.label,
                display=label.display,
                outlines=structure.outlines,
                area_share=round(structure.area_share, 6),
                flags=structure.flags,
            )
            for label, structure in zip(panel.labels, found.structures, strict=True)
        ),
        cardiothoracic=CardiothoracicRatio(
            value=ratio.value,
            method=ratio.method,
            reason=ratio.reason,
            heart=ratio.heart,
            thorax=ratio.thorax,
        ),
        display=panel.display,
        caution=panel.caution,
    )
