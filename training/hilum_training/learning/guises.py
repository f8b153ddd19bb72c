"""Guises of a film: what a scanner, an export and a compression make of the same exposure.

Nothing here moves or hides anything: a reader who sees two guises of a film gives one answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from hilum_training.learning.augmentation import Dice
    from hilum_training.recipe import GuiseRecipe


def guise(films: Any, dice: Dice, recipe: GuiseRecipe) -> Any:
    """Give each film another sharpness, another noise, another compression.

    Args:
        films: float32 [N, H, W, 1] in 0..255.
        dice: Random numbers.
        recipe: Ranges.

    Returns:
        float32 [N, H, W, 1], whole numbers in 0..255: what a file would hold.
    """
    soft = tf.nn.avg_pool2d(films, 3, 1, "SAME")
    x = films + _column(dice.between(-recipe.sharpen, recipe.soften)) * (soft - films)
    noise = tf.random.stateless_normal(tf.shape(x), dice.seed())
    x = _whole(x + noise * _column(dice.between(0.0, recipe.noise)))
    quality = tf.cast(dice.between(float(recipe.quality), 100.0), tf.int32)
    compressed = dice.happens(recipe.compress) > 0
    return tf.map_fn(
        _stored, (x, quality, compressed), fn_output_signature=tf.TensorSpec(x.shape[1:])
    )


def _stored(film: tuple[Any, Any, Any]) -> Any:
    """The film as a JPEG file gives it back, if it is to be one."""
    grey, quality, compressed = film

    def through_jpeg() -> Any:
        pixels = tf.cast(grey, tf.uint8)
        return tf.cast(tf.image.adjust_jpeg_quality(pixels, quality), tf.float32)

    return tf.cond(compressed, through_jpeg, lambda: grey)


def _whole(x: Any) -> Any:
    return tf.round(tf.clip_by_value(x, 0.0, 255.0))


def _column(values: Any) -> Any:
    return values[:, tf.newaxis, tf.newaxis, tf.newaxis]
