"""The loss of the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from keras import ops

from hilum.imaging.lungs import HEART, LEFT_LUNG, LUNGS_WITH_HEART, RIGHT_LUNG
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from hilum_training.segmentation.recipe import LossRecipe

_SMOOTH: Final = 16.0
"""Cells added to both sides of the Dice ratio, so that an empty structure divides by no zero."""


def mask_loss(logits: Any, targets: Any, known: Any, recipe: LossRecipe, smoothing: float) -> Any:
    """Cross-entropy and soft Dice where a structure is outlined, anatomy everywhere.

    Args:
        logits: float32 [N, h, w, K].
        targets: float32 [N, h, w, K] in 0..1, the share of each cell inside the structure.
        known: float32 [N, K], 1 where the film's masks say anything of the structure.
        recipe: Weights of the parts.
        smoothing: Label smoothing of the cross-entropy.

    Returns:
        float32 scalar.
    """
    soft = targets * (1.0 - smoothing) + smoothing / 2
    # max(x, 0) - x t + log(1 + exp(-|x|)): cross-entropy from logits, without an overflow.
    each = ops.relu(logits) - logits * soft + ops.log1p(ops.exp(-ops.abs(logits)))
    entropy = ops.mean(each, axis=(1, 2))
    probabilities = ops.sigmoid(logits)
    both = ops.sum(probabilities * targets, axis=(1, 2))
    sizes = ops.sum(probabilities + targets, axis=(1, 2))
    dice = 1.0 - (2.0 * both + _SMOOTH) / (sizes + _SMOOTH)
    outlined = ops.sum((entropy + recipe.dice * dice) * known) / ops.maximum(ops.sum(known), 1.0)
    return outlined + recipe.anatomy * anatomy_loss(probabilities)


def anatomy_loss(probabilities: Any) -> Any:
    """What every chest keeps to, whoever outlined it: a bridge between the conventions.

    Lung fields lie within the lungs with the heart; what these have beyond the fields is heart or
    mediastinum; and no pixel is in two of right field, left field and heart. So films with V7 masks
    say where lung fields cannot be, without being taken for masks of lung fields.

    Args:
        probabilities: float32 [N, h, w, K].

    Returns:
        float32 scalar, 0 where all of it holds.
    """
    right, left, whole, heart = (
        probabilities[..., STRUCTURES.index(name)]
        for name in (RIGHT_LUNG, LEFT_LUNG, LUNGS_WITH_HEART, HEART)
    )
    fields = right + left
    outside = ops.relu(fields - whole)
    unexplained = ops.relu(whole - fields - heart)
    twice = ops.relu(fields + heart - 1.0)
    return ops.mean(outside + unexplained + twice)
