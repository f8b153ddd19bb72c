"""The loop of every fit: epochs, an average of the weights, the best of them kept.

Keras makes the steps, on whichever backend it runs (``KERAS_BACKEND``). TensorFlow makes the
batches on every one, on the CPU.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from hilum_training.learning import checkpoint
from hilum_training.learning.objective import build_optimiser
from hilum_training.learning.tensorboard import TensorBoardLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hilum_training.recipe import FitRecipe


class Schedule(Protocol):
    """What the loop asks of a recipe."""

    @property
    def fit(self) -> FitRecipe:
        """Epochs, batch, optimisation."""

    @property
    def training(self) -> str:
        """What decides the weights: a run of another value is another run."""


class TaughtNetwork(keras.Model):  # type: ignore[misc,unused-ignore]
    """A network and what it is asked, for a step that Keras makes on any backend.

    Args:
        network: What learns; its layers and weights are shared.
        loss: Takes its outputs and what a batch tells; float32 scalar.
    """

    def __init__(self, network: keras.Model, loss: Callable[..., Any]) -> None:
        super().__init__(network.inputs, network.output)
        self._told_loss = loss

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,  # noqa: FBT001, FBT002 - Keras calls it so
    ) -> Any:
        """The fit's loss of a batch."""
        del x, sample_weight, training
        return self._told_loss(y_pred, *y)


class AveragedFit(ABC):
    """One training run; a subclass says what the films of a batch are asked.

    Args:
        recipe: What to do.
        build: Makes the network with its first weights.
        films: Training films; so many are drawn in an epoch.
        folder: Where the run keeps its state: ``state.npz`` and ``best.keras``.
        learnt_from: Digest of what is learnt from; a run on anything else is not taken up.
    """

    def __init__(
        self,
        recipe: Schedule,
        build: Callable[[], keras.Model],
        films: int,
        folder: Path,
        learnt_from: str,
    ) -> None:
        self._plan = recipe.fit
        self._training = f"{recipe.training} of {learnt_from}"
        self._folder = folder
        self._steps = max(films // recipe.fit.batch, 1)
        self._network = build()
        # Averages every weight, the batch statistics too: averaged weights with the last
        # step's statistics would not fit one another.
        self._average = build()
        self._average.set_weights(self._network.get_weights())
        self._optimiser = build_optimiser(recipe.fit, self._steps)
        self._optimiser.build(self._network.trainable_variables)
        self._taught = TaughtNetwork(self._network, self._loss)
        on_tensorflow = keras.config.backend() == "tensorflow"
        # XLA on a CPU makes TensorFlow's depthwise convolutions slower; JAX is nothing without it.
        self._taught.compile(self._optimiser, jit_compile=False if on_tensorflow else "auto")
        if not on_tensorflow:
            # The memory of an accelerator is for the backend that trains.
            tf.config.set_visible_devices([], "GPU")

    @abstractmethod
    def _batches(self, epoch: int) -> Iterator[Any]:
        """Make the augmented batches of an epoch: films first, then what :meth:`_loss` takes."""

    @abstractmethod
    def _loss(self, logits: Any, *told: Any) -> Any:
        """Loss of a batch, float32 scalar.

        Args:
            logits: The network's outputs.
            *told: The rest of the batch.
        """

    @abstractmethod
    def _validate(self) -> dict[str, float]:
        """``validation_loss`` of the averaged network, and its other figures."""

    @property
    def average(self) -> keras.Model:
        """The network with averaged weights."""
        return self._average

    def result(self) -> keras.Model:
        """The averaged network of the epochs that the recipe keeps; after :meth:`run`.

        The mean of two takes batch statistics with the weights: the average of the weights moves
        slowly, so that they lie close to one another.
        """
        keep = self._plan.keep
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
        progress = checkpoint.load(state, self._training, self._variables())
        done = progress.epochs_done
        if done >= self._plan.epochs or self._waited_out(progress.log):
            tqdm.write(f"finished before, with this recipe and these films: {self._folder}")
        board = TensorBoardLog(self._folder / "tensorboard")
        while progress.epochs_done < self._plan.epochs and not self._waited_out(progress.log):
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
        patience = self._plan.patience
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
            desc=f"epoch {epoch + 1}/{self._plan.epochs}",
            unit="batch",
            mininterval=2,
        )
        for films, *told in bar:
            losses.append(self._train_step(films, *told))
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

    def _train_step(self, films: Any, *told: Any) -> float:
        row = self._taught.train_on_batch(films, told, return_dict=True)
        # Early weights are soon forgotten: the average's memory grows with the steps done.
        done = float(self._optimiser.iterations)
        keep = min(self._plan.ema, (1.0 + done) / (10.0 + done))
        for mean, now in zip(self._average.weights, self._network.weights, strict=True):
            if mean.dtype == "float32":
                mean.assign(mean.value * keep + now.value * (1.0 - keep))
        return float(row["loss"])
