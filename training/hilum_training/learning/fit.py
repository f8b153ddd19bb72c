"""The fit: epochs of augmented films, an average of the weights, the best of them kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from hilum_training.learning import checkpoint
from hilum_training.learning.augmentation import augment
from hilum_training.learning.objective import build_optimiser, panel_loss
from hilum_training.learning.sampling import epoch_order, sampling_weights
from hilum_training.learning.tensorboard import TensorBoardLog
from hilum_training.measures.metrics import area_under_curve, softmax
from hilum_training.network import build_network
from hilum_training.prediction import predict_logits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.films.library import FilmSet
    from hilum_training.films.targets import Targets
    from hilum_training.recipe import PanelRecipe, Recipe


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
        self._targets = {panel.name: train.targets(panel) for panel in recipe.panels}
        learnt = np.any([item.known for item in self._targets.values()], axis=0)
        self._weights = sampling_weights(train.films, recipe.fit.balance) * learnt
        self._weights /= self._weights.sum()
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

    def result(self) -> keras.Model:
        """The averaged network of the epochs that the recipe keeps; after :meth:`run`.

        The mean of two takes batch statistics with the weights: the average of the weights moves
        slowly, so that they lie close to one another.
        """
        keep = self._recipe.fit.keep
        if keep != "last":
            best = keras.models.load_model(self._folder / "best.keras", compile=False)
            share = 1.0 if keep == "best" else 0.5
            for last, other in zip(self._average.weights, best.weights, strict=True):
                if last.dtype == "float32":
                    last.assign(last.value * (1.0 - share) + other.value * share)
        return self._average

    def run(self) -> list[dict[str, float]]:
        """Train until the recipe's last epoch, from where the run was interrupted.

        Returns:
            One row per epoch: epoch, learning_rate, loss, validation figures, seconds.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        state = self._folder / "state.npz"
        progress = checkpoint.load(state, self._recipe.training, self._variables())
        board = TensorBoardLog(self._folder / "tensorboard")
        while progress.epochs_done < self._recipe.fit.epochs and not self._waited_out(progress.log):
            row = self._epoch(progress.epochs_done)
            progress.log.append(row)
            board.write(row)
            progress.epochs_done += 1
            if row["validation_loss"] < progress.best_loss:
                progress.best_loss = row["validation_loss"]
                self._average.save(self._folder / "best.keras")
            checkpoint.save(state, progress, self._variables())
        return progress.log

    def _waited_out(self, log: Sequence[dict[str, float]]) -> bool:
        """Whether so many epochs as the recipe waits for brought no lower validation loss."""
        patience = self._recipe.fit.patience
        if not patience or not log:
            return False
        losses = [row["validation_loss"] for row in log]
        return len(losses) - 1 - int(np.argmin(losses)) >= patience

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
        for films, asked in bar:
            losses.append(float(self._step(films, asked)))
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
        fit, inputs, targets = self._recipe.fit, self._train.inputs, self._targets
        order = epoch_order(self._weights, self._recipe.seed, epoch)

        def batches() -> Any:
            for step in range(self._steps):
                index = order[step * fit.batch : (step + 1) * fit.batch]
                asked = {
                    name: (item.values[index], item.known[index].astype(np.float32))
                    for name, item in targets.items()
                }
                yield inputs[index], asked, np.array([epoch, step], dtype=np.int32)

        signature = (
            tf.TensorSpec((None, *inputs.shape[1:]), tf.uint8),
            {
                name: (
                    tf.TensorSpec((None, item.values.shape[1]), tf.float32),
                    tf.TensorSpec((None,), tf.float32),
                )
                for name, item in targets.items()
            },
            tf.TensorSpec((2,), tf.int32),
        )
        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.map(
            lambda films, asked, seed: (augment(films, seed, self._recipe.augment), asked),
            num_parallel_calls=2,
        ).prefetch(4)

    def _train_step(self, films: Any, asked: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self._network(films, training=True)
            loss = self._loss(logits, asked)
        variables = self._network.trainable_variables
        self._optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        # Early weights are soon forgotten: the average's memory grows with the steps done.
        done = tf.cast(self._optimiser.iterations, tf.float32)
        keep = tf.minimum(self._recipe.fit.ema, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self._average.weights, self._network.weights, strict=True):
            if mean.dtype == "float32":
                mean.assign(mean.value * keep + now.value * (1.0 - keep))
        return loss

    def _loss(self, logits: Any, asked: Any) -> Any:
        smoothing = self._recipe.fit.label_smoothing
        losses = []
        for panel in self._recipe.panels:
            values, known = asked[panel.name]
            loss = panel_loss(panel.kind, logits[panel.name], values, known, smoothing)
            losses.append(panel.weight * loss)
        return tf.add_n(losses)

    def _validate(self) -> dict[str, float]:
        logits = predict_logits(self._average, self._validation.inputs)
        row: dict[str, float] = {"validation_loss": 0.0}
        for panel in self._recipe.panels:
            targets = self._validation.targets(panel)
            loss = panel_loss(
                panel.kind,
                logits[panel.name].astype(np.float32),
                targets.values,
                targets.known.astype(np.float32),
                0.0,
            )
            row["validation_loss"] += panel.weight * float(loss)
            row |= _figures(panel, logits[panel.name], targets)
        return row


def _figures(panel: PanelRecipe, logits: NDArray[np.float64], targets: Targets) -> dict[str, float]:
    """Mean AUROC over the labels, and accuracy where one answer is right."""
    if panel.kind == "multi_label":
        rows, truth = logits[targets.known], targets.values[targets.known] > 0
        areas = [area_under_curve(rows[:, k], truth[:, k]) for k in range(truth.shape[1])]
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
