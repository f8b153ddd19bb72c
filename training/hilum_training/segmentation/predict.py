"""Masks as they are served, from the trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hilum_training.segmentation.graph import MASKS, SegmentationGraph
from hilum_training.segmentation.network import load_unet
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.segmentation.recipe import SegmentationRecipe

_BATCH: Final = 32


def served_masks(
    weights: Path, inputs: NDArray[np.uint8], recipe: SegmentationRecipe
) -> NDArray[np.uint8]:
    """Masks of films, for other networks' evaluation.

    Args:
        weights: Folder of the reference weights.
        inputs: uint8 [N, size, size, 1], ``square-area-v1``.
        recipe: The segmentation network's.

    Returns:
        uint8 [N, size, size, K] in the order of :data:`STRUCTURES`.

    Raises:
        WeightsMissing: The segmentation was not trained.
    """
    return graph_masks(load_unet(weights, recipe), inputs)


def graph_masks(network: keras.Model, inputs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the served graph answers, uint8 [N, size, size, K]."""
    graph = SegmentationGraph(network)
    parts = [
        np.asarray(graph(inputs[at : at + _BATCH])[MASKS]) for at in range(0, len(inputs), _BATCH)
    ]
    empty = np.zeros((0, *inputs.shape[1:3], len(STRUCTURES)), dtype=np.uint8)
    return np.concatenate([empty, *parts])
