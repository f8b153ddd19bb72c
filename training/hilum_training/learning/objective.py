"""The loss and the optimiser's schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

if TYPE_CHECKING:
    from hilum_training.learning.weighing import Weighing
    from hilum_training.recipe import FitRecipe


def candidate_loss(logits: Any, allowed: Any, smoothing: float) -> Any:
    """Negative log-likelihood of a set of allowed labels.

    With one allowed label it is cross-entropy with label smoothing. With several it asks only
    that they hold the mass together (partial-label learning): "pneumonia" in a report is bacterial
    or viral, and nothing is claimed about which.

    Args:
        logits: float32 [N, K].
        allowed: float32 [N, K], 1 where the recorded label allows the answer.
        smoothing: Share of the target spread over all K.

    Returns:
        float32 [N].
    """
    log_probabilities = ops.log_softmax(logits)
    among = ops.where(allowed > 0, log_probabilities, -1e9)
    hit = -ops.logsumexp(among, axis=1)
    spread = -ops.mean(log_probabilities, axis=1)
    return (1.0 - smoothing) * hit + smoothing * spread


def panel_loss(
    kind: str,
    logits: Any,
    values: Any,
    known: Any,
    smoothing: float,
    weighing: Weighing | None = None,
    asked: Any = None,
) -> Any:
    """Mean loss of one panel over the films that it learns from; 0 where there are none.

    Args:
        kind: ``multi_label``: binary cross-entropy, averaged over the films' answers: a film of
            which little was asked counts as little. Otherwise :func:`candidate_loss`.
        logits: float32 [N, K].
        values: float32 [N, K], see :class:`hilum_training.films.targets.Targets`.
        known: float32 [N], 1 where the panel learns from the film.
        smoothing: Label smoothing.
        weighing: Of the classes (None: the films of each count as they come).
        asked: float32 [N, K], 1 where a multi-label panel learns the film's answer (None: all).

    Returns:
        float32 scalar.
    """
    if kind == "multi_label":
        soft = values * (1.0 - smoothing) + smoothing / 2
        each = ops.binary_crossentropy(soft, logits, from_logits=True)
        each = weighing.of_labels(each, values) if weighing else each
        counted = known[:, None] * (ops.ones_like(each) if asked is None else asked)
        return ops.sum(each * counted) / ops.maximum(ops.sum(counted), 1.0)
    # A film unknown to the panel allows every answer: a number, and no gradient after the mask.
    allowed = ops.maximum(values, 1.0 - known[:, None])
    losses = candidate_loss(logits, allowed, smoothing)
    losses = weighing.of_films(losses, allowed) if weighing else losses
    return ops.sum(losses * known) / ops.maximum(ops.sum(known), 1.0)


def build_optimiser(recipe: FitRecipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """AdamW, warmed up linearly, then a cosine to zero; norms and biases do not decay."""
    warmup = recipe.warmup_epochs * steps_per_epoch
    total = recipe.epochs * steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=max(total - warmup, 1),
        alpha=0.01,
        warmup_target=recipe.learning_rate,
        warmup_steps=max(warmup, 1),
    )
    optimiser = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay, clipnorm=1.0)
    optimiser.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimiser
