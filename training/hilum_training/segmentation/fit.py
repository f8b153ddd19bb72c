"""The fit of the masks: each film taught with the structures that its masks tell of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from keras import ops

from hilum_training.learning.averaged_fit import AveragedFit
from hilum_training.learning.learnt_films import films_digest
from hilum_training.learning.sampling import epoch_order
from hilum_training.segmentation.augmentation import augment_masked
from hilum_training.segmentation.network import build_unet
from hilum_training.segmentation.objective import mask_loss
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.segmentation.library import MaskSet
    from hilum_training.segmentation.recipe import SegmentationRecipe

_BATCH = 32


class SegmentationFit(AveragedFit):
    """One training run of a segmentation network.

    Args:
        recipe: What to do.
        train: Films to learn from.
        validation: Films that choose among the epochs.
        folder: Where the run keeps its state: ``state.npz`` and ``best.keras``.
    """

    def __init__(
        self, recipe: SegmentationRecipe, train: MaskSet, validation: MaskSet, folder: Path
    ) -> None:
        learnt_from = " ".join(
            films_digest(part.films, [part.targets, part.known]) for part in (train, validation)
        )
        drawn = min(recipe.fit.draws or len(train.outlines), len(train.outlines))
        super().__init__(recipe, lambda: build_unet(recipe), drawn, folder, learnt_from)
        self._recipe = recipe
        self._drawn = drawn
        self._prepare = tf.function(augment_masked, reduce_retracing=True)
        self._train = train
        self._validation = validation

    def _batches(self, epoch: int) -> Iterator[Any]:
        fit, train = self._recipe.fit, self._train
        known = train.known.astype(np.float32)
        weights = sampling_weights(train, fit.balance)
        order = epoch_order(weights, self._recipe.seed, epoch, self._drawn)
        for step in range(self._steps):
            index = order[step * fit.batch : (step + 1) * fit.batch]
            batch = train.films.inputs[index], train.targets[index], known[index]
            yield tf.nest.map_structure(
                np.asarray,
                self._prepare(*batch, np.array([epoch, step], np.int32), self._recipe.augment),
            )

    def _loss(self, logits: Any, *told: Any) -> Any:
        targets, known = told
        smoothing = self._recipe.fit.label_smoothing
        return mask_loss(logits, targets, known, self._recipe.loss, smoothing)

    def _validate(self) -> dict[str, float]:
        probabilities = predict_masks(self._average, self._validation.films.inputs)
        inside, wanted = probabilities >= 0.5, self._validation.targets >= 128  # noqa: PLR2004 - half
        overlap = (inside & wanted).sum(axis=(1, 2))
        sizes = (inside.sum(axis=(1, 2)) + wanted.sum(axis=(1, 2))).clip(min=1)
        dice = np.where(self._validation.known, 2.0 * overlap / sizes, np.nan)
        figures = {
            f"validation_dice_{name}": float(np.nanmean(dice[:, column]))
            for column, name in enumerate(STRUCTURES)
            if self._validation.known[:, column].any()
        }
        return {"validation_loss": 1.0 - float(np.nanmean(dice)), **figures}


def sampling_weights(films: MaskSet, balance: float) -> NDArray[np.float64]:
    """Chance of each film to be drawn: n films with the same masks of one source as n ** balance.

    Returns:
        float64 [N], sums to 1.
    """
    kinds = [
        (film.source, outlines.kind)
        for film, outlines in zip(films.films.films, films.outlines, strict=True)
    ]
    counts = Counter(kinds)
    weights = np.array([counts[kind] ** (balance - 1) for kind in kinds], dtype=np.float64)
    return np.asarray(weights / weights.sum())


def predict_masks(network: keras.Model, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities on the network's own grid.

    Args:
        network: From :func:`hilum_training.segmentation.network.build_unet`.
        inputs: uint8 [N, size, size, 1].

    Returns:
        float32 [N, size / 2, size / 2, K].
    """
    parts = [
        ops.convert_to_numpy(
            ops.sigmoid(network(inputs[at : at + _BATCH].astype(np.float32), training=False))
        )
        for at in range(0, len(inputs), _BATCH)
    ]
    return np.concatenate(parts)
