"""The fit: epochs of augmented films, an average of the weights, the best of them kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from hilum_training.evaluation.metrics import area_under_curve, softmax
from hilum_training.learning import checkpoint
from hilum_training.learning.augmentation import augment
from hilum_training.learning.objective import build_optimiser, candidate_loss
from hilum_training.learning.sampling import epoch_order, sampling_weights
from hilum_training.network import build_network
from hilum_training.prediction import predict_logits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.pack import Film
    from hilum_training.recipe import Recipe


class Fit:
    """One training run.

    Args:
        recipe: What to do.
        train: Films to learn from.
        validation: Films that choose among the epochs.
        folder: Where the run keeps its state: ``state.npz`` and ``best.keras``.
    """

    def __init__(self, recipe: Recipe, train: FilmSet, validation: FilmSet, folder: Path) -> None:
        self._recipe = recipe
        self._train = train
        self._validation = validation
        self._folder = folder
        self._steps = max(len(train.films) // recipe.fit.batch, 1)
        self._network = build_network(recipe)
        # Averages every weight, the batch statistics too: averaged weights with the last
        # step's statistics would not fit one another.
        self._average = build_network(recipe)
        self._average.set_weights(self._network.get_weights())
        self._optimiser = build_optimiser(recipe.fit, self._steps)
        self._optimiser.build(self._network.trainable_variables)
        self._step = tf.function(self._train_step)

    @property
    def average(self) -> keras.Model:
        """The network with averaged weights."""
        return self._average

    def run(self) -> list[dict[str, float]]:
        """Train until the recipe's last epoch, from where the run was interrupted.

        Returns:
            One row per epoch: epoch, learning_rate, loss, validation figures, seconds.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        state = self._folder / "state.npz"
        progress = checkpoint.load(state, self._recipe.training, self._variables())
        while progress.epochs_done < self._recipe.fit.epochs:
            row = self._epoch(progress.epochs_done)
            progress.log.append(row)
            progress.epochs_done += 1
            if row["validation_loss"] < progress.best_loss:
                progress.best_loss = row["validation_loss"]
                self._average.save(self._folder / "best.keras")
            checkpoint.save(state, progress, self._variables())
        return progress.log

    def _variables(self) -> list[Any]:
        return [*self._network.weights, *self._average.weights, *self._optimiser.variables]

    def _epoch(self, epoch: int) -> dict[str, float]:
        started = time.monotonic()
        losses = []
        bar = tqdm(
            self._batches(epoch),
            total=self._steps,
            desc=f"epoch {epoch + 1}/{self._recipe.fit.epochs}",
            unit="batch",
            mininterval=2,
        )
        for films, allowed in bar:
            losses.append(float(self._step(films, allowed)))
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}", refresh=False)
        row = {
            "epoch": epoch + 1,
            "learning_rate": float(self._optimiser.learning_rate),
            "loss": float(np.mean(losses)),
            **self._validate(),
            "seconds": time.monotonic() - started,
        }
        tqdm.write("  ".join(f"{key} {value:.4g}" for key, value in row.items()))
        return row

    def _batches(self, epoch: int) -> tf.data.Dataset:
        fit, inputs = self._recipe.fit, self._train.inputs
        allowed = self._train.allowed(len(self._recipe.data.labels))
        weights = sampling_weights(self._train.films, fit.balance)
        order = epoch_order(weights, self._recipe.seed, epoch)

        def batches() -> Any:
            for step in range(self._steps):
                index = order[step * fit.batch : (step + 1) * fit.batch]
                yield inputs[index], allowed[index], np.array([epoch, step], dtype=np.int32)

        signature = (
            tf.TensorSpec((None, *inputs.shape[1:]), tf.uint8),
            tf.TensorSpec((None, allowed.shape[1]), tf.float32),
            tf.TensorSpec((2,), tf.int32),
        )
        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.map(
            lambda films, mask, seed: (augment(films, seed, self._recipe.augment), mask),
            num_parallel_calls=2,
        ).prefetch(4)

    def _train_step(self, films: Any, allowed: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self._network(films, training=True)
            smoothing = self._recipe.fit.label_smoothing
            loss = tf.reduce_mean(candidate_loss(logits, allowed, smoothing))
        variables = self._network.trainable_variables
        self._optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        # Early weights are soon forgotten: the average's memory grows with the steps done.
        done = tf.cast(self._optimiser.iterations, tf.float32)
        keep = tf.minimum(self._recipe.fit.ema, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self._average.weights, self._network.weights, strict=True):
            if mean.dtype == "float32":
                mean.assign(mean.value * keep + now.value * (1.0 - keep))
        return loss

    def _validate(self) -> dict[str, float]:
        logits = predict_logits(self._average, self._validation.inputs)
        allowed = self._validation.allowed(logits.shape[1])
        probabilities = softmax(logits)
        loss = -np.log(np.maximum((probabilities * allowed).sum(axis=1), 1e-9)).mean()
        return {
            "validation_loss": float(loss),
            **_single_label_figures(probabilities, self._validation.films),
        }


def _single_label_figures(
    probabilities: NDArray[np.float64], films: Sequence[Film]
) -> dict[str, float]:
    known = np.array([len(film.candidates) == 1 for film in films])
    if not known.any():
        return {}
    truth = np.array([film.candidates[0] for film in films if len(film.candidates) == 1])
    rows = probabilities[known]
    areas = [area_under_curve(rows[:, k], truth == k) for k in range(rows.shape[1])]
    return {
        "validation_accuracy": float((rows.argmax(axis=1) == truth).mean()),
        "validation_auroc": float(np.nanmean(areas)),
    }
