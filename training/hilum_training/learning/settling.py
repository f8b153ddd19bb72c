"""The second fit: two guises of one film get one answer.

The first fit learns what the labels say. It leaves the network free to lean on grain: a film and
its compressed copy, which no reader would tell apart, could get answers that differ. Asking two
views for one answer is consistency training (Zheng et al., CVPR 2016, "stability training").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras import ops

from hilum_training.learning.augmentation import Dice, augment
from hilum_training.learning.fit import Fit
from hilum_training.learning.guises import guise
from hilum_training.network import build_network

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.films.library import FilmSet
    from hilum_training.learning.averaged_fit import Schedule
    from hilum_training.recipe import DistilRecipe, FitRecipe, Recipe, SettleRecipe


@dataclass(frozen=True, slots=True)
class LaterSchedule:
    """What the loop asks of a recipe, for a fit that goes on from the first.

    Attributes:
        recipe: The whole.
        part: This fit.
        training: What decides the weights: the fits before, and this one.
    """

    recipe: Recipe
    part: SettleRecipe | DistilRecipe
    training: str

    @property
    def fit(self) -> FitRecipe:
        """The first fit's, shorter and gentler; its end is what is kept."""
        return replace(
            self.recipe.fit,
            epochs=self.part.epochs,
            batch=self.part.batch,
            learning_rate=self.part.learning_rate,
            warmup_epochs=0,
            side=0,
            draws=self.part.draws,
            keep="last",
            patience=0,
        )


class SettlingFit(Fit):
    """Goes on from a trained network.

    Args:
        recipe: What to do; its :attr:`~hilum_training.recipe.Recipe.settle` is given.
        first: The network as the first fit left it.
        train: Films to learn from.
        validation: Films of the log; they choose nothing here.
        folder: Where the run keeps its state.
        schedule: Epochs and optimisation (None: the recipe's for this fit).
    """

    def __init__(
        self,
        recipe: Recipe,
        first: keras.Model,
        train: FilmSet,
        validation: FilmSet,
        folder: Path,
        schedule: Schedule | None = None,
    ) -> None:
        if recipe.settle is None:
            raise ValueError(f"{recipe.name} has no second fit")
        self._settle = recipe.settle
        weights = first.get_weights()
        empty = replace(recipe, network=replace(recipe.network, initial=""))

        def build() -> keras.Model:
            network = build_network(empty, smooth=recipe.smooth)
            network.set_weights(weights)
            return network

        if schedule is None:
            training = f"{recipe.training} then {recipe.settle}"
            schedule = LaterSchedule(recipe, recipe.settle, training)
        super().__init__(recipe, train, validation, folder, build=build, schedule=schedule)

    def _prepared(self, films: Any, asked: Any, seed: Any) -> tuple[Any, Any]:
        """Each film twice: the first half of the batch in one guise, the second in another."""
        plain = replace(self._recipe.augment, noise=0.0, blur=0.0)
        moved = augment(films, seed, plain)
        # Another stream than the one that moved the films.
        dice = Dice([-1 - seed[0], seed[1]], tf.shape(films)[0])
        guises = [guise(moved, dice, self._settle.guise) for _ in range(2)]
        twice = tf.nest.map_structure(lambda told: tf.concat([told, told], axis=0), asked)
        return tf.concat(guises, axis=0), twice

    def _loss(self, logits: Any, *told: Any) -> Any:
        apart = sum(
            panel.weight * disagreement(panel.kind, logits[panel.name])
            for panel in self._recipe.panels
        )
        return super()._loss(logits, *told) + self._settle.agreement * apart


def disagreement(kind: str, logits: Any) -> Any:
    """Mean square of what sets the answers to two guises apart, in logits.

    Args:
        kind: ``multi_label``: each label is an answer of its own. Otherwise the labels exclude one
            another, and what is added to all their logits changes no answer: it does not count.
        logits: float32 [2 N, K], the films in one guise, then the same films in another.

    Returns:
        float32 scalar.
    """
    one, other = ops.split(logits, 2, axis=0)
    apart = one - other
    if kind != "multi_label":
        apart -= ops.mean(apart, axis=1, keepdims=True)
    return ops.mean(ops.square(apart))
