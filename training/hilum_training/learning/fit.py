"""The fit of a classifier: panels that share a trunk, each with the films that it learns from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from hilum_training.learning.augmentation import augment
from hilum_training.learning.averaged_fit import AveragedFit
from hilum_training.learning.learnt_films import films_digest
from hilum_training.learning.objective import panel_loss
from hilum_training.learning.sampling import epoch_order, sampling_weights
from hilum_training.learning.weighing import weighing_of
from hilum_training.measures.metrics import area_under_curve, softmax
from hilum_training.network import build_network
from hilum_training.prediction import predict_logits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.targets import Targets
    from hilum_training.learning.averaged_fit import Schedule
    from hilum_training.panel_recipe import PanelRecipe
    from hilum_training.recipe import Recipe


class Fit(AveragedFit):
    """One training run of a classifier.

    Args:
        recipe: What to do.
        train: Films to learn from.
        validation: Films that choose among the epochs.
        folder: Where the run keeps its state: ``state.npz`` and ``best.keras``.
        build: Makes the network with its first weights (None: as the recipe says).
        schedule: Epochs and optimisation (None: the recipe's).
    """

    def __init__(
        self,
        recipe: Recipe,
        train: FilmSet,
        validation: FilmSet,
        folder: Path,
        *,
        build: Callable[[], keras.Model] | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        plan = (schedule or recipe).fit
        side = min(plan.side or recipe.film.size, recipe.film.size)
        seen = replace(recipe, film=replace(recipe.film, size=side))
        build = build or (lambda: build_network(seen))
        learnt_from = " ".join(_digest(films, recipe) for films in (train, validation))
        drawn = min(plan.draws or len(train.films), len(train.films))
        super().__init__(schedule or recipe, build, drawn, folder, learnt_from)
        self._side, self._drawn = side, drawn
        self._prepare = tf.function(self._prepared, reduce_retracing=True)
        self._recipe = recipe
        self._train = train
        self._validation = validation
        self._targets = {panel.name: train.targets(panel) for panel in recipe.panels}
        self._weighing = {
            panel.name: weighing_of(panel, self._targets[panel.name]) for panel in recipe.panels
        }
        learnt = np.any([item.known for item in self._targets.values()], axis=0)
        self._weights = sampling_weights(train.films, self._plan.balance) * learnt
        self._weights /= self._weights.sum()

    def _batches(self, epoch: int) -> Iterator[Any]:
        batch = self._plan.batch
        order = epoch_order(self._weights, self._recipe.seed, epoch, self._drawn)
        for step in range(self._steps):
            index = order[step * batch : (step + 1) * batch]
            asked = {
                name: tuple(part[index].astype(np.float32) for part in _told(item))
                for name, item in self._targets.items()
            }
            yield self._as_shown(
                self._train.inputs[index], asked, np.array([epoch, step], np.int32)
            )

    def _as_shown(self, *batch: Any) -> Any:
        """Change a batch at random, on the CPU, and give it as arrays for any backend."""
        return tf.nest.map_structure(np.asarray, self._prepare(*batch))

    def _prepared(self, films: Any, asked: Any, seed: Any) -> tuple[Any, Any]:
        """A batch as the network sees it, and what it is asked."""
        return reduced(augment(films, seed, self._recipe.augment), self._side), asked

    def _loss(self, logits: Any, *told: Any) -> Any:
        (asked,) = told
        return sum(
            panel.weight * self._panel_loss(panel, logits[panel.name], *asked[panel.name])
            for panel in self._recipe.panels
        )

    def _panel_loss(
        self, panel: PanelRecipe, logits: Any, values: Any, known: Any, asked: Any
    ) -> Any:
        smoothing, weighing = self._plan.label_smoothing, self._weighing[panel.name]
        return panel_loss(panel.kind, logits, values, known, smoothing, weighing, asked)

    def _validate(self) -> dict[str, float]:
        inputs = reduced(self._validation.inputs, self._side)
        logits = predict_logits(self._average, np.asarray(inputs))
        row: dict[str, float] = {"validation_loss": 0.0}
        for panel in self._recipe.panels:
            targets = self._validation.targets(panel)
            loss = panel_loss(
                panel.kind,
                logits[panel.name].astype(np.float32),
                targets.values,
                targets.known.astype(np.float32),
                0.0,
                self._weighing[panel.name],
                targets.asked.astype(np.float32),
            )
            row["validation_loss"] += panel.weight * float(loss)
            row |= _figures(panel, logits[panel.name], targets)
        return row


def reduced(films: Any, side: int) -> Any:
    """Reduce images to ``side`` pixels a side by the mean over each pixel's area.

    Args:
        films: uint8 or float32 [N, H, W, 1] in 0..255.
        side: At most H and W; equal to both leaves the images as they are.

    Returns:
        As ``films`` where nothing is reduced, otherwise float32 [N, side, side, 1].
    """
    if films.shape[1] == side:
        return films
    # Each reduced pixel is the mean over its area, as in the served preprocessing.
    return tf.image.resize(films, (side, side), method="area")


def _told(targets: Targets) -> tuple[NDArray[Any], ...]:
    """What a batch tells of its films, panel by panel: arrays of N rows."""
    return targets.values, targets.known, targets.asked


def _digest(films: FilmSet, recipe: Recipe) -> str:
    told: list[NDArray[Any]] = []
    for panel in recipe.panels:
        targets = films.targets(panel)
        told += [targets.values, targets.known]
        # Where every film that teaches answers everything, a run is what it was without a mask.
        if not targets.asked[targets.known].all():
            told.append(targets.asked)
    return films_digest(films, told)


def _figures(panel: PanelRecipe, logits: NDArray[np.float64], targets: Targets) -> dict[str, float]:
    """Mean AUROC over the labels, and accuracy where one answer is right."""
    if panel.kind == "multi_label":
        truth, asked = targets.values > 0, targets.asked & targets.known[:, np.newaxis]
        areas = [
            area_under_curve(logits[asked[:, k], k], truth[asked[:, k], k])
            for k in range(truth.shape[1])
        ]
        return {f"{panel.name}_auroc": _mean(areas)}
    rows, answer = softmax(logits[targets.single]), targets.truth[targets.single]
    areas = [area_under_curve(rows[:, k], answer == k) for k in range(rows.shape[1])]
    return {
        f"{panel.name}_accuracy": float((rows.argmax(axis=1) == answer).mean()) if len(rows) else 0,
        f"{panel.name}_auroc": _mean(areas),
    }


def _mean(values: Sequence[float]) -> float:
    kept = [value for value in values if not np.isnan(value)]
    return float(np.mean(kept)) if kept else 0.0
