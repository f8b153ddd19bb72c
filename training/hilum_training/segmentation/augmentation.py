"""Random changes of a film together with its masks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from hilum.imaging.lungs import LEFT_LUNG, RIGHT_LUNG
from hilum_training.learning.augmentation import Dice, augment, move
from hilum_training.segmentation.recipe import STRUCTURES

if TYPE_CHECKING:
    from hilum_training.recipe import AugmentRecipe

_OTHER_SIDE: Final = {RIGHT_LUNG: LEFT_LUNG, LEFT_LUNG: RIGHT_LUNG}
MIRRORED: Final = tuple(STRUCTURES.index(_OTHER_SIDE.get(name, name)) for name in STRUCTURES)
"""Where each mask of a mirrored film is found: what was the right lung now is the left one."""


def augment_masked(
    films: Any, targets: Any, known: Any, seed: Any, recipe: AugmentRecipe
) -> tuple[Any, Any, Any]:
    """Change a batch of films and, where they are moved, their masks alike.

    Args:
        films: uint8 [N, H, W, 1].
        targets: uint8 [N, h, w, K], on a grid of the same field of view.
        known: float32 [N, K].
        seed: int [2]: epoch and step.
        recipe: Ranges. Mirroring exchanges the sides.

    Returns:
        Films float32 [N, H, W, 1] in 0..255, targets float32 [N, h, w, K] in 0..1, and known.
    """
    x, y = tf.cast(films, tf.float32), tf.cast(targets, tf.float32) / 255.0
    mirror = Dice(seed, tf.shape(x)[0]).happens(recipe.flip)
    wide = mirror[:, tf.newaxis, tf.newaxis, tf.newaxis] > 0
    x = tf.where(wide, tf.reverse(x, [2]), x)
    y = tf.where(wide, tf.gather(tf.reverse(y, [2]), MIRRORED, axis=3), y)
    known = tf.where(mirror[:, tf.newaxis] > 0, tf.gather(known, MIRRORED, axis=1), known)
    still = replace(recipe, flip=0.0)
    # The same seed throws the same dice: film and masks are moved alike on their two grids.
    placed = tf.stack([seed[0], seed[1] + _MOVES])
    x = move(x, Dice(placed, tf.shape(x)[0]), still)
    y = move(y, Dice(placed, tf.shape(x)[0]), still)
    toned = replace(still, rotate_degrees=0.0, zoom=0.0, shift=0.0)
    return augment(x, seed, toned), y, known


_MOVES: Final = 100_000
"""Steps between the stream that places films and the one that changes their grey levels."""
