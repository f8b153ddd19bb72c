"""The fit of the masks: epochs of augmented films, an average of the weights, the best kept."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from hilum_training.learning import checkpoint
from hilum_training.learning.objective import build_optimiser
from hilum_training.learning.sampling import epoch_order
from hilum_training.learning.tensorboard import TensorBoardLog
from hilum_training.segmentation.augmentation import augment_masked
from hilum_training.segmentation.network import build_unet
from hilum_training.segmentation.objective import mask_loss
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hilum_training.segmentation.library import MaskSet
    from hilum_training.segmentation.recipe import SegmentationRecipe

_BATCH = 32


class SegmentationFit:
    """One training run.

    Args:
        recipe: What to do.
        train: Films to learn from.
        validation: Films that choose among the epochs.
        folder: Where the run keeps its state: ``state.npz`` and ``best.keras``.
    """

    def __init__(
        self, recipe: SegmentationRecipe, train: MaskSet, validation: MaskSet, folder: Path
    ) -> None:
        self._recipe = recipe
        self._train = train
        self._validation = validation
        self._folder = folder
        self._steps = max(len(train.outlines) // recipe.fit.batch, 1)
        self._network = build_unet(recipe)
        # Averages every weight, the batch statistics too: averaged weights with the last
        # step's statistics would not fit one another.
        self._average = build_unet(recipe)
        self._average.set_weights(self._network.get_weights())
        self._optimiser = build_optimiser(recipe.fit, self._steps)
        self._optimiser.build(self._network.trainable_variables)
        self._step = tf.function(self._train_step)

    @property
    def average(self) -> keras.Model:
        """The network with averaged weights."""
        return self._average

    def result(self) -> keras.Model:
        """The averaged network of the epoch that the recipe keeps; after :meth:`run`."""
        if self._recipe.fit.keep == "best":
            best = keras.models.load_model(self._folder / "best.keras", compile=False)
            self._average.set_weights(best.get_weights())
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
        while progress.epochs_done < self._recipe.fit.epochs:
            row = self._epoch(progress.epochs_done)
            progress.log.append(row)
            board.write(row)
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
        for films, targets, known in bar:
            losses.append(float(self._step(films, targets, known)))
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
        fit, train = self._recipe.fit, self._train
        inputs, known = train.films.inputs, train.known.astype(np.float32)
        order = epoch_order(sampling_weights(train, fit.balance), self._recipe.seed, epoch)

        def batches() -> Any:
            for step in range(self._steps):
                index = order[step * fit.batch : (step + 1) * fit.batch]
                seed = np.array([epoch, step], dtype=np.int32)
                yield inputs[index], train.targets[index], known[index], seed

        signature = (
            tf.TensorSpec((None, *inputs.shape[1:]), tf.uint8),
            tf.TensorSpec((None, *train.targets.shape[1:]), tf.uint8),
            tf.TensorSpec((None, len(STRUCTURES)), tf.float32),
            tf.TensorSpec((2,), tf.int32),
        )
        dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return dataset.map(
            lambda films, masks, told, seed: augment_masked(
                films, masks, told, seed, self._recipe.augment
            ),
            num_parallel_calls=2,
        ).prefetch(4)

    def _train_step(self, films: Any, targets: Any, known: Any) -> Any:
        fit = self._recipe.fit
        with tf.GradientTape() as tape:
            logits = self._network(films, training=True)
            loss = mask_loss(logits, targets, known, self._recipe.loss, fit.label_smoothing)
        variables = self._network.trainable_variables
        self._optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        # Early weights are soon forgotten: the average's memory grows with the steps done.
        done = tf.cast(self._optimiser.iterations, tf.float32)
        keep = tf.minimum(fit.ema, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self._average.weights, self._network.weights, strict=True):
            if mean.dtype == "float32":
                mean.assign(mean.value * keep + now.value * (1.0 - keep))
        return loss

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
        np.asarray(tf.sigmoid(network(inputs[at : at + _BATCH].astype(np.float32), training=False)))
        for at in range(0, len(inputs), _BATCH)
    ]
    return np.concatenate(parts)
