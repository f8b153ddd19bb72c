"""Structures: outlines of lungs and heart, and where findings are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilum.domain.finding import CardiothoracicRatio, Structure, StructuresReading
from hilum.domain.model import PanelKind
from hilum.imaging.lungs import lung_mask, read_structures

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from hilum.application.analysis.gate import Gated
    from hilum.domain.model import ModelManifest, ModelSet, Panel

Size = tuple[int, ...]
"""Rows and columns of the image."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """The structures of an image.

    Attributes:
        readings: Of each panel that outlines structures.
        field: Lung mask uint8 [H, W], 255 times the probability; None where no panel knows lungs,
            which means the whole image.
    """

    readings: tuple[StructuresReading, ...]
    field: NDArray[np.uint8] | None


def outline(gated: Gated, models: ModelSet) -> Outlined:
    """Read the structures of an image."""
    size = gated.view.film.pixels.shape
    masks: list[tuple[ModelManifest, Panel, NDArray[Any]]] = [
        (model, panel, gated.inferred.output(model, "masks", panel.name))
        for model in models.models
        for panel in model.panels
        if panel.kind is PanelKind.STRUCTURES
    ]
    return Outlined(
        tuple(structures_reading(model, panel, found, size) for model, panel, found in masks),
        lung_field((panel, found) for _, panel, found in masks),
    )


def lung_field(outlined: Iterable[tuple[Panel, NDArray[np.uint8]]]) -> NDArray[np.uint8] | None:
    """Return the mask in which findings are looked for.

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
