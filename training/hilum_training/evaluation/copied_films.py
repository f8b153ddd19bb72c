"""The same film as another file holds it: how far the answers move.

A reader gives a film and its compressed copy one answer. What moves between them is of the
network's own making.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from hilum_training.measures.bootstrap import figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hilum_training.evaluation.shortcuts.changed_films import Predict
    from hilum_training.films.library import FilmSet
    from hilum_training.measures.calibration import Calibration
    from hilum_training.panel_recipe import PanelRecipe

FILMS: Final = 600
"""So many test films, spread evenly, are copied."""
_SEED: Final = 20261121


def compressed(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Through a JPEG file of quality 75, Pillow's default.

    Args:
        films: uint8 [N, H, W, 1].
    """
    out = np.empty_like(films)
    for place, film in enumerate(films):
        stream = io.BytesIO()
        Image.fromarray(film[..., 0]).save(stream, "JPEG", quality=75)
        out[place, ..., 0] = np.asarray(Image.open(stream))
    return out


def grained(films: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With noise of two grey levels, as near-lossless compression and another detector make it."""
    noise = np.random.default_rng(_SEED).normal(0.0, 2.0, films.shape)
    return np.clip(np.rint(films + noise), 0, 255).astype(np.uint8)


COPIES: Final[dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]] = {
    "JPEG of quality 75": compressed,
    "noise of two grey levels": grained,
}
"""Copies by what was done to the film's 224 x 224 pixels."""


def copied_films(
    panels: Sequence[PanelRecipe],
    calibrations: Mapping[str, Calibration],
    test: FilmSet,
    logits: Mapping[str, NDArray[np.float64]],
    predict: Predict,
) -> dict[str, list[dict[str, Any]]]:
    """How far each panel's probabilities move between a film and its copies, by panel.

    Args:
        panels: Any.
        calibrations: By panel.
        test: Test films.
        logits: On the films as they are, by panel.
        predict: The network: uint8 [N, size, size, 1] to logits by panel.

    Returns:
        A row a copy: over the films, the median, the 95th percentile and the largest of the
        farthest that any label of the panel moved.
    """
    at = np.arange(len(test.films))
    if len(at) > FILMS:
        at = np.linspace(0, len(at) - 1, FILMS).astype(np.int64)
    some = test.take(at)
    rows: dict[str, list[dict[str, Any]]] = {panel.name: [] for panel in panels}
    for copy, change in COPIES.items():
        found = predict(change(some.inputs))
        for name, told in rows.items():
            calibrated = calibrations[name].probabilities
            moved = np.abs(calibrated(found[name]) - calibrated(logits[name][at])).max(axis=1)
            told.append(
                {
                    "copy": copy,
                    "films": len(at),
                    "median": figure(float(np.median(moved))),
                    "of 95 % at most": figure(float(np.percentile(moved, 95))),
                    "largest": figure(float(moved.max())),
                }
            )
    return rows
