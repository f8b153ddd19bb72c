"""Pictures that every engine reads alike, and how alike."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from hilum.imaging.phantom import phantom_film
from hilum.imaging.preprocessing import PREPROCESSING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hilum.application.ports.inference import Outputs
    from hilum.domain.model import ModelManifest

# The same graph in the same runtime: what may differ is the order of additions in a larger batch.
PROBABILITY_TOLERANCE = 1e-5
HEATMAP_TOLERANCE = 1e-4


@cache
def golden_pictures() -> list[NDArray[np.uint8]]:
    """Phantom chests, noise, ramps and flat films, uint8 [H, W]."""
    ramp = np.linspace(0, 255, 512).astype(np.uint8)
    return [
        *(phantom_film(512, 450, seed) for seed in (1, 2, 3)),
        np.random.default_rng(0).integers(0, 256, (400, 512), dtype=np.uint8),
        np.tile(ramp, (512, 1)),
        np.tile(ramp[:, np.newaxis], (1, 512)),
        np.zeros((512, 512), np.uint8),
        np.full((512, 512), 255, np.uint8),
    ]


def golden_films(model: ModelManifest) -> NDArray[np.uint8]:
    """The golden pictures as the model's input, uint8 [8, H, W, 1]."""
    height, width, _ = model.film_input.shape
    preprocess = PREPROCESSING[model.preprocessing]
    return np.stack([preprocess(picture, height, width) for picture in golden_pictures()])


def assert_same(answer: Outputs, expected: Outputs) -> None:
    """Two answers agree within the tolerances; masks to a grey level."""
    assert set(answer) == set(expected)
    for name, tensor in answer.items():
        tolerance = PROBABILITY_TOLERANCE if name.endswith("probabilities") else HEATMAP_TOLERANCE
        if tensor.dtype == np.uint8:
            tolerance = 1
        np.testing.assert_allclose(
            tensor.astype(float), expected[name].astype(float), rtol=0, atol=tolerance
        )


def rows(answer: Outputs, which: slice) -> Outputs:
    """The answer for some of the films."""
    return {name: tensor[which] for name, tensor in answer.items()}


def golden_film(model: ModelManifest) -> NDArray[np.uint8]:
    """One golden film."""
    return golden_films(model)[:1]
