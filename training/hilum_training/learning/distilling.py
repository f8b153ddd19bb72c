"""The last fit: one network takes on the mean answer of two.

Two networks that were trained alike from other random numbers err on other images, so that their
mean is better than either, at twice the cost. The fit shows one of them each image as both see it
and asks for that mean (Hinton et al., 2015, arXiv 1503.02531; with the same image for the teachers:
Beyer et al., CVPR 2022). The labels keep a share of the loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from hilum_training.learning.settling import LaterSchedule, SettlingFit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.recipe import Recipe


class DistillingFit(SettlingFit):
    """Goes on from a trained network, towards the mean of it and another.

    Args:
        recipe: What to do; its :attr:`~hilum_training.recipe.Recipe.distil` is given.
        teachers: Two networks or more; the fit begins at the first.
        rivals: What decided the weights of the others, see
            :attr:`~hilum_training.recipe.Recipe.training`.
        train: Images to learn from.
        validation: Images of the log; they choose nothing here.
        folder: Where the run keeps its state.
    """

    def __init__(
        self,
        recipe: Recipe,
        teachers: Sequence[keras.Model],
        rivals: str,
        train: FilmSet,
        validation: FilmSet,
        folder: Path,
    ) -> None:
        if recipe.distil is None:
            raise ValueError(f"{recipe.name} has no fit to the mean of two networks")
        self._distil = recipe.distil
        self._teachers = teachers
        training = f"{recipe.training} then {recipe.settle} then {recipe.distil} with {rivals}"
        schedule = LaterSchedule(recipe, recipe.distil, training)
        super().__init__(recipe, teachers[0], train, validation, folder, schedule)

    def _as_shown(self, *batch: Any) -> Any:
        images, asked = super()._as_shown(*batch)
        return images, asked, self._mean_answers(images)

    def _mean_answers(self, images: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Mean logits by panel, float32 [2 N, K]."""
        given = [teacher.predict_on_batch(images) for teacher in self._teachers]
        return {
            panel.name: np.mean([one[panel.name] for one in given], axis=0, dtype=np.float32)
            for panel in self._recipe.panels
        }

    def _loss(self, logits: Any, *told: Any) -> Any:
        asked, said = told
        towards = sum(
            panel.weight * apart_from(panel.kind, logits[panel.name], said[panel.name])
            for panel in self._recipe.panels
        )
        share = self._distil.share
        return (1.0 - share) * super()._loss(logits, asked) + share * towards


def apart_from(kind: str, logits: Any, said: Any) -> Any:
    """Mean Kullback-Leibler divergence of answers from what teachers say.

    Args:
        kind: ``multi_label``: each label is an answer of its own. Otherwise the labels exclude one
            another.
        logits: float32 [N, K].
        said: The teachers' logits, float32 [N, K].

    Returns:
        float32 scalar; 0 where both give the same probabilities.
    """
    if kind == "multi_label":
        wanted = ops.sigmoid(said)
        cross = ops.binary_crossentropy(wanted, logits, from_logits=True)
        least = ops.binary_crossentropy(wanted, said, from_logits=True)
        return ops.mean(cross - least)
    wanted = ops.log_softmax(said)
    return ops.mean(ops.sum(ops.exp(wanted) * (wanted - ops.log_softmax(logits)), axis=1))
