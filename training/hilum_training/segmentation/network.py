"""A small U-Net (Ronneberger et al., MICCAI 2015) whose skips are added instead of joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from hilum_training.network import FilmStandardisation
from hilum_training.segmentation.recipe import STRUCTURES
from hilum_training.weights import fill_weights, weights_path

if TYPE_CHECKING:
    from pathlib import Path

    from hilum_training.segmentation.recipe import SegmentationRecipe


def build_unet(recipe: SegmentationRecipe) -> keras.Model:
    """The network with random weights.

    Input ``film`` float32 [N, size, size, 1] in 0..255, output logits float32
    [N, size / 2, size / 2, K]: the border of a lung is no sharper than that on a film of 224
    pixels, and half of the work would go into the finest level.
    """
    size, widths = recipe.film.size, recipe.network.widths
    film = keras.Input((size, size, 1), name="film")
    x = FilmStandardisation(name="standardise")(film)
    x = _convolve(x, widths[0], kernel=5, strides=2, name="stem")
    skips = [x]
    for level, width in enumerate(widths[1:], start=1):
        x = _convolve(x, width, strides=2, name=f"down{level}")
        x = _convolve(x, width, name=f"down{level}_b")
        skips.append(x)
    for level in range(len(widths) - 2, -1, -1):
        # The 1 x 1 convolution comes before the enlargement: the same sums on a quarter of pixels.
        x = layers.Conv2D(widths[level], 1, use_bias=False, name=f"up{level}_narrow")(x)
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"up{level}")(x)
        x = layers.Add(name=f"up{level}_add")([x, skips[level]])
        x = _convolve(x, widths[level], name=f"up{level}_a")
    logits = layers.Conv2D(len(STRUCTURES), 1, name="masks")(x)
    return keras.Model(film, logits, name=recipe.name)


def _convolve(x: Any, width: int, *, name: str, kernel: int = 3, strides: int = 1) -> Any:
    x = layers.Conv2D(
        width,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    # Momentum suits some hundred steps an epoch, not the default's hundred thousand.
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def load_unet(folder: Path, recipe: SegmentationRecipe) -> keras.Model:
    """The trained network.

    Raises:
        WeightsMissing: There are no weights, or those of another network.
    """
    network = build_unet(recipe)
    fill_weights(network, weights_path(folder, recipe.name))
    return network
