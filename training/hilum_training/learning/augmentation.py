"""Random changes of training films, as TensorFlow operations on a batch.

Every random number comes from a stateless generator with a given seed, so that a run that was
interrupted goes on with the same films as one that was not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from hilum_training.recipe import AugmentRecipe


class Dice:
    """Numbers for a batch, each draw from its own stateless stream."""

    def __init__(self, seed: Any, count: Any) -> None:
        self._seed = tf.cast(seed, tf.int32)
        self._count = count
        self._draws = 0

    def seed(self) -> Any:
        """int32 [2], another one at each call."""
        self._draws += 1
        return tf.stack([self._seed[0], self._seed[1] * 1000 + self._draws])

    def between(self, low: float, high: float) -> Any:
        """float32 [N], uniform."""
        return tf.random.stateless_uniform([self._count], self.seed(), low, high)

    def happens(self, probability: float) -> Any:
        """float32 [N], 1 with this probability, else 0."""
        return tf.cast(self.between(0.0, 1.0) < probability, tf.float32)


def augment(films: Any, seed: Any, recipe: AugmentRecipe) -> Any:
    """Change a batch of films at random.

    Args:
        films: uint8 [N, H, W, 1].
        seed: int [2]: epoch and step.
        recipe: Ranges.

    Returns:
        float32 [N, H, W, 1] in 0..255.
    """
    dice = Dice(seed, tf.shape(films)[0])
    x = tf.cast(films, tf.float32)
    x = move(x, dice, recipe)
    x = _blur(x, dice, recipe)
    x = _tone(x, dice, recipe)
    x = _occlude(x, dice, recipe)
    noise = tf.random.stateless_normal(tf.shape(x), dice.seed())
    x += noise * _column(dice.between(0.0, recipe.noise))
    return tf.clip_by_value(x, 0.0, 255.0)


def _column(values: Any) -> Any:
    return values[:, tf.newaxis, tf.newaxis, tf.newaxis]


def move(x: Any, dice: Dice, recipe: AugmentRecipe) -> Any:
    """Rotate, zoom, shift and mirror about the centre; what comes in from outside is black."""
    side = tf.cast(tf.shape(x)[1], tf.float32)
    angle = dice.between(-1.0, 1.0) * (recipe.rotate_degrees * math.pi / 180)
    mirror = 1.0 - 2.0 * dice.happens(recipe.flip)
    zoom_x = mirror * (1.0 + dice.between(-recipe.zoom, recipe.zoom))
    zoom_y = 1.0 + dice.between(-recipe.zoom, recipe.zoom)
    a, b = tf.cos(angle) * zoom_x, -tf.sin(angle) * zoom_y
    c, d = tf.sin(angle) * zoom_x, tf.cos(angle) * zoom_y
    centre = (side - 1) / 2
    shift_x = centre + dice.between(-recipe.shift, recipe.shift) * side - (a + b) * centre
    shift_y = centre + dice.between(-recipe.shift, recipe.shift) * side - (c + d) * centre
    zero = tf.zeros_like(a)
    transforms = tf.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=transforms,
        output_shape=tf.shape(x)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _blur(x: Any, dice: Dice, recipe: AugmentRecipe) -> Any:
    """Soften some films: the sources differ in resolution."""
    soft = tf.nn.avg_pool2d(x, 3, 1, "SAME")
    share = _column(dice.happens(recipe.blur) * dice.between(0.0, 1.0))
    return x + share * (soft - x)


def _tone(x: Any, dice: Dice, recipe: AugmentRecipe) -> Any:
    """Gamma, then contrast about the middle with clipping, as a viewer's window would."""
    gamma = tf.exp(dice.between(-recipe.gamma, recipe.gamma))
    x = 255.0 * tf.pow(tf.clip_by_value(x / 255.0, 0.0, 1.0), _column(gamma))
    gain = 1.0 + dice.between(-recipe.contrast, recipe.contrast)
    x = 127.5 + (x - 127.5) * _column(gain)
    return tf.clip_by_value(x, 0.0, 255.0)


def _occlude(x: Any, dice: Dice, recipe: AugmentRecipe) -> Any:
    """Cover a block near the border with one grey level, so that burnt-in text teaches nothing."""
    side = tf.shape(x)[1]
    line = (tf.cast(tf.range(side), tf.float32) + 0.5) / tf.cast(side, tf.float32)
    for _ in range(2):
        tall, wide = dice.between(0.03, 0.2), dice.between(0.08, 0.4)
        top = tf.round(dice.between(0.0, 1.0)) * (1.0 - tall)
        left = dice.between(0.0, 1.0) * (1.0 - wide)
        # Half of the blocks lie along the left or right border instead of top or bottom.
        swap = dice.happens(0.5) > 0
        y, x0 = tf.where(swap, left, top), tf.where(swap, top, left)
        high, broad = tf.where(swap, wide, tall), tf.where(swap, tall, wide)
        rows = _within(line, y, high)[:, :, tf.newaxis, tf.newaxis]
        columns = _within(line, x0, broad)[:, tf.newaxis, :, tf.newaxis]
        cover = rows * columns * _column(dice.happens(recipe.occlude))
        x = x * (1.0 - cover) + cover * _column(dice.between(0.0, 255.0))
    return x


def _within(line: Any, start: Any, length: Any) -> Any:
    inside = (line >= start[:, tf.newaxis]) & (line < (start + length)[:, tf.newaxis])
    return tf.cast(inside, tf.float32)
