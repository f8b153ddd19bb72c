"""From a film to a model's input, and from its output to findings and heatmaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hilum.domain.errors import InvalidManifest
from hilum.domain.finding import Finding, Heatmap, PanelReading
from hilum.imaging.heatmap import quantise
from hilum.imaging.polarity import looks_inverted, negative
from hilum.imaging.preprocessing import PREPROCESSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from hilum.domain.model import ModelManifest
    from hilum.imaging.film import Film


def upright(film: Film) -> tuple[Film, bool]:
    """The film with bright bones, and whether it had to be turned for that.

    A reader obeys what a file says of itself; a file whose photometric interpretation is wrong is
    then displayed as its own negative, and no model was trained on negatives.
    """
    if not looks_inverted(film.pixels):
        return film, False
    return replace(film, pixels=negative(film.pixels)), True


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


def panel_reading(model: ModelManifest, probabilities: NDArray[np.float32]) -> PanelReading:
    """Findings from probabilities float32 [K] in the order of the model's labels."""
    findings = []
    for label, value in zip(model.labels, probabilities, strict=True):
        probability = round(float(value), 6)
        threshold = model.operating_point(label.name).threshold
        findings.append(
            Finding(
                label=label.name,
                display=label.display,
                probability=probability,
                operating_point=threshold,
                positive=probability >= threshold,
                abnormal=label.abnormal,
                weak=label.weak,
                code=label.code,
            )
        )
    return PanelReading(model.panel, model.name, model.version, tuple(findings))


def panel_heatmaps(model: ModelManifest, maps: NDArray[np.float32]) -> Iterator[Heatmap]:
    """Heatmaps from class activation maps float32 [h, w, K]."""
    for index, label in enumerate(model.labels):
        values, scale = quantise(maps[:, :, index])
        rows, columns = values.shape
        yield Heatmap(model.panel, label.name, rows, columns, values.tobytes(), scale)
